"""What an operator names - a board and how it is connected - and what of its rows is which signal of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kiosk.errors import BadSettings
from kiosk.signals import SIGNALS
from sensors.driver import Port
from sensors.drivers.brainflow.library import Descriptor, Library

PLAYBACK, STREAMING, SYNTHETIC = -3, -2, -1
"""Boards that are none: a file, another process, a generator."""
PRESETS: Mapping[str, int] = MappingProxyType({"default": 0, "auxiliary": 1, "ancillary": 2})
_FILES = ("file", "file_aux", "file_anc")
"""What each preset of the playback board plays."""
_ON_SKIN = ("SYNTHETIC_BOARD", "EMOTIBIT_BOARD", "GALEA_BOARD", "SHIMMER3_BOARD")
"""Boards whose temperature is the skin's. The others measure their own converter, which warms up by itself."""
_OWN = ("ecg", "names", "presets")
"""Parameters of this driver; the others are the library's."""
_LEFT_OUT = ("emg", "eog", "gyro", "magnetometer", "rotation", "analog", "optical", "resistance", "other")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A board as the operator names it."""

    number: int
    name: str
    master: int
    """The board whose rows these are: another one where a file or a stream of it is played."""
    master_name: str
    params: Mapping[str, str | int]
    ecg: tuple[int, ...] = ()
    """Which of its electrodes, from 1, are on the chest: most boards do not tell EEG from ECG."""
    names: tuple[str, ...] = ()
    """Where the electrodes are, when they are elsewhere than the descriptor says."""
    presets: tuple[int, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether there is no body behind it."""
        return self.played or SYNTHETIC in (self.number, self.master)

    @property
    def played(self) -> bool:
        """Whether it ends, like a file."""
        return self.number == PLAYBACK


@dataclass(frozen=True, slots=True)
class Feed:
    """A signal and the rows that it comes from."""

    port: Port
    rows: tuple[int, ...]
    factor: float


@dataclass(frozen=True, slots=True)
class Preset:
    """A group of rows that are sampled together."""

    number: int
    rate: float
    counter: int | None
    """The row of the packages' numbers."""
    feeds: tuple[Feed, ...]

    @property
    def name(self) -> str:
        """As BrainFlow calls it."""
        return next(name for name, number in PRESETS.items() if number == self.number)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read of a board."""

    wanted: Wanted
    presets: tuple[Preset, ...]
    words: str
    """What is read and what is left out, for people."""

    @property
    def ports(self) -> tuple[Port, ...]:
        """The signals."""
        return tuple(feed.port for preset in self.presets for feed in preset.feeds)


def wanted(library: Library, board: str, params: str = "") -> Wanted:
    """The board of this name or number, connected by `serial_port=/dev/ttyUSB0,mac_address=...`."""
    names = library.names()
    number = _number(names, board)
    given = _pairs(params)
    kinds = library.param_names()
    unknown = [name for name in given if name not in kinds and name not in _OWN]
    if unknown:
        there = ", ".join(sorted([*kinds, *_OWN]))
        raise BadSettings(f"BrainFlow has no parameter {unknown[0]!r}; there are {there}")
    said: dict[str, str | int] = {}
    for name, value in given.items():
        if name == "master_board":
            said[name] = _number(names, value)
        elif name not in _OWN:
            said[name] = _whole(name, value) if kinds[name] is int else value
    master = number
    if number in (PLAYBACK, STREAMING):
        if "master_board" not in said:
            raise BadSettings(f"{_called(names, number)} needs master_board=NAME: the board that its rows are of")
        master = int(said["master_board"])
    wrong = [each for each in _list(given, "presets") if each not in PRESETS]
    if wrong:
        raise BadSettings(f"presets: no preset {wrong[0]!r}; there are {', '.join(PRESETS)}")
    return Wanted(
        number,
        _called(names, number),
        master,
        _called(names, master),
        MappingProxyType(said),
        tuple(_whole("ecg", each) for each in _list(given, "ecg")),
        _list(given, "names"),
        tuple(PRESETS[each] for each in _list(given, "presets")),
    )


def plan(library: Library, board: Wanted) -> Plan:
    """Which rows are read as what. BadSettings where none is."""
    presets: list[Preset] = []
    taken: set[str] = set()
    left: list[str] = []
    for number in _presets(library, board):
        descriptor = library.descriptor(board.master, number)
        rate = descriptor.get("sampling_rate")
        if not isinstance(rate, int | float) or rate <= 0:
            continue
        feeds: list[Feed] = []
        for signal, names, rows, factor in _signals(board, descriptor):
            port = Port(signal, names, float(rate))
            cause = _refusal(port) or ("read in another preset" if signal in taken else "")
            if cause:
                left.append(f"{signal} ({cause})")
                continue
            taken.add(signal)
            feeds.append(Feed(port, rows, factor))
        left += _unread(board, descriptor)
        if feeds:
            counter = descriptor.get("package_num_channel")
            presets.append(Preset(number, float(rate), counter if isinstance(counter, int) else None, tuple(feeds)))
    if not presets:
        raise BadSettings(f"{board.master_name}: nothing to read ({'; '.join(dict.fromkeys(left)) or 'no rows'})")
    read = (f"{feed.port.signal} {len(feed.rows)} at {preset.rate:g} Hz" for preset in presets for feed in preset.feeds)
    words = f"{board.name}: {', '.join(read)}"
    if left:
        words += f"; left out: {', '.join(dict.fromkeys(left))}"
    return Plan(board, tuple(presets), words[:500])


def _presets(library: Library, board: Wanted) -> tuple[int, ...]:
    there = library.presets(board.master)
    if board.played:
        there = tuple(number for number in there if board.params.get(_FILES[number]))
        if not there:
            raise BadSettings(f"{board.name} needs file=PATH (and file_aux, file_anc for the other presets)")
    absent = [each for each in board.presets if each not in there]
    if absent:
        name = next(name for name, number in PRESETS.items() if number == absent[0])
        raise BadSettings(f"{board.master_name} has no {name} preset, or nothing to play for it")
    return board.presets or there


def _signals(board: Wanted, descriptor: Descriptor) -> list[tuple[str, tuple[str, ...], tuple[int, ...], float]]:
    """(signal, channels, rows, factor into the signal's unit) of a preset, those that are possible."""
    found: list[tuple[str, tuple[str, ...], tuple[int, ...], float]] = []
    eeg, ecg = _rows(descriptor, "eeg"), _rows(descriptor, "ecg")
    electrodes = eeg or ecg
    if electrodes:
        names = _electrodes(board, descriptor, electrodes)
        wrong = [each for each in board.ecg if not 1 <= each <= len(electrodes)]
        if wrong:
            raise BadSettings(f"ecg={wrong[0]}: {board.master_name} has {len(electrodes)} electrodes")
        chest = {electrodes[each - 1] for each in board.ecg}
        # the same inputs are listed as EEG, ECG, EMG and EOG: they are EEG unless the operator says otherwise
        head = tuple(row for row in eeg if row not in chest)
        heart = tuple(row for row in electrodes if row in chest or row not in eeg)
        if head:
            found.append(("eeg", tuple(names[row] for row in head), head, 1.0))
        if heart:
            # microvolt, as everything that BrainFlow has from electrodes
            found.append(("ecg", tuple(f"ch{electrodes.index(row) + 1}" for row in heart), heart, 1e-3))
    for signal, kind in (("ppg", "ppg"), ("eda", "eda")):
        rows = _rows(descriptor, kind)
        if rows:
            found.append((signal, _numbered(signal, len(rows)), rows, 1.0))
    rows = _rows(descriptor, "temperature")
    if rows and board.master_name in _ON_SKIN:
        found.append(("skin_temperature", _numbered("skin", len(rows)), rows, 1.0))
    rows = _rows(descriptor, "accel")
    if len(rows) == 3:
        found.append(("acceleration", ("x", "y", "z"), rows, 1.0))
    return found


def _electrodes(board: Wanted, descriptor: Descriptor, rows: Sequence[int]) -> dict[int, str]:
    """A name for each electrode's row: the operator's, the descriptor's, or its number."""
    names = board.names
    if names and (len(names) != len(rows) or len(set(names)) != len(names)):
        raise BadSettings(f"names: {board.master_name} has {len(rows)} electrodes, each needs a name of its own")
    if not names:
        text = descriptor.get("eeg_names")
        names = tuple(each.strip() for each in text.split(",")) if isinstance(text, str) else ()
    if len(names) != len(rows) or len(set(names)) != len(names) or not all(0 < len(name) <= 32 for name in names):
        names = tuple(f"ch{number + 1}" for number in range(len(rows)))
    return dict(zip(rows, names, strict=True))


def _unread(board: Wanted, descriptor: Descriptor) -> list[str]:
    """Kinds of rows that are no signal of ours."""
    electrodes = set(_rows(descriptor, "eeg")) | set(_rows(descriptor, "ecg"))
    found = [kind for kind in _LEFT_OUT if set(_rows(descriptor, kind)) - electrodes]
    if _rows(descriptor, "temperature") and board.master_name not in _ON_SKIN:
        found.append("temperature (the board's own)")
    if _rows(descriptor, "accel") and len(_rows(descriptor, "accel")) != 3:
        found.append("accel (not three axes)")
    return found


def _refusal(port: Port) -> str:
    """Why the wire would refuse a stream; empty where it would not."""
    signal = SIGNALS[port.signal]
    assert port.rate is not None
    if not signal.accepts_rate(port.rate):
        return f"{port.rate:g} Hz is out of its range"
    if not signal.accepts_channels(port.channels):
        return f"{len(port.channels)} channels"
    if 4 * len(port.channels) * port.rate > signal.budget:
        return "more bytes than it may have"
    return ""


def _rows(descriptor: Descriptor, kind: str) -> tuple[int, ...]:
    found = descriptor.get(f"{kind}_channels")
    return tuple(int(row) for row in found) if isinstance(found, list) else ()


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return (stem,) if count == 1 else tuple(f"{stem}{number + 1}" for number in range(count))


def _number(names: Mapping[str, int], board: str) -> int:
    plain = board.strip().upper().replace("-", "_").replace(" ", "_")
    for name in (plain, f"{plain}_BOARD"):
        if name in names:
            return names[name]
    digits = board.strip()
    if digits.lstrip("-").isdigit() and digits.isascii() and int(digits) in names.values():
        return int(digits)
    raise BadSettings(f"BrainFlow knows no board {board.strip()!r}; there are {', '.join(sorted(names)).lower()}")


def _called(names: Mapping[str, int], number: int) -> str:
    return next(name for name, each in names.items() if each == number)


def _pairs(params: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in params.split(","))):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or not value.strip() or name in found:
            raise BadSettings(f"{part!r}: NAME=VALUE is meant, each name once, with commas between them")
        found[name] = value.strip()
    return found


def _list(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in given.get(name, "").split("+") if each.strip())


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise BadSettings(f"{name}={value}: a whole number is meant")
    return int(value)

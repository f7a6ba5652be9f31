"""What mne has read of a file -> waves: units, channels marked bad, spans marked bad, marks."""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from sensors.files import naming
from sensors.files.content import Annotation, Content, Start, Wave, steady_times
from sensors.files.source import bad, check_count, check_rate, check_span

SIGNALS = {"eeg": ("eeg", "V"), "ecg": ("ecg", "V"), "resp": ("respiration", ""), "gsr": ("eda", "siemens"),
           "temperature": ("skin_temperature", "Cel")}  # fmt: skip
"""mne's channel types, and its units, that are signals of ours."""
AT_ONCE = 4_000_000
"""Values that are converted at a time: mne has them as float64."""
SPOILT = "bad"
"""What the name of a span begins with that is not to be used, by mne's custom."""
_PATH = re.compile(r"(?:PosixPath\()?'?/[^\s')]+'?\)?")
_FOLDER = re.compile(r"/\S*/")
"""What a warning has before a file's name: a folder of ours, another one each time."""
_PREFIX = {"eeg": "EEG", "ecg": "ECG", "respiration": "resp", "eda": "eda", "skin_temperature": "temp"}


class Raw(Protocol):
    """What is used of an mne `Raw`."""

    ch_names: list[str]
    n_times: int
    first_time: float
    info: dict[str, object]
    filenames: Sequence[Path | None]

    def get_channel_types(self) -> list[str]:
        """One for each channel."""
        ...

    def get_data(self, *, picks: list[int], start: int, stop: int) -> NDArray[np.float64]:
        """(picks, samples) in SI units."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that mne has open, and what it warned of."""

    raw: Raw
    warnings: tuple[str, ...]
    marks: tuple[Annotation, ...]


@contextmanager
def complaints(path: Path) -> Iterator[None]:
    """Whatever mne stumbles over in a damaged file is damage that can be named."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except BadRecording:
        raise
    except MemoryError:
        raise bad(path, "needs more memory than there is") from None
    except Exception as error:
        # where it was unpacked to is nobody's business
        text = _PATH.sub(path.name, str(error).replace("\n", " "))[:160]
        raise bad(path, f"cannot be read as {path.suffix} ({type(error).__name__}: {text})") from None


def opened(path: Path, open_file: Callable[[], Raw]) -> Opened:
    """Open it, without its samples."""
    with complaints(path):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            raw = open_file()
        marks = _marks(raw)
    return Opened(raw, tuple(_FOLDER.sub("", str(each.message).split("\n")[0]) for each in said), marks)


def content(path: Path, file: Opened, *, by_name: bool) -> Content:
    """The waves of a file. `by_name`: its format knows no types, so that a channel's name has the first word."""
    raw = file.raw
    bads = raw.info["bads"]
    assert isinstance(bads, list)
    picks: list[int] = []
    named: list[tuple[str, str]] = []
    left: list[tuple[str, str]] = []
    with complaints(path):
        types = raw.get_channel_types()
    for index, (name, kind) in enumerate(zip(raw.ch_names, types, strict=True)):
        signal, unit = SIGNALS.get(kind, ("", ""))
        if not signal:
            left.append(("not read", f"{name} ({kind})"))
        elif name in bads:
            left.append(("not read", f"{name} (marked bad)"))
        else:
            picks.append(index)
            found = naming.signal_of(name, unit)
            keeps = found == signal or (by_name and (found is not None or naming.is_other(name)))
            # a type that the file states is not guessed at again
            named.append((name if keeps else f"{_PREFIX[signal]} {name}", unit))
    if not picks:
        kinds = ", ".join(sorted(set(types))) or "none"
        raise bad(path, f"has no channel of a signal that is read (its types: {kinds})")
    rate = raw.info["sfreq"]
    assert isinstance(rate, int | float)
    rate = float(rate)
    check_rate(path, rate)
    check_span(path, raw.n_times / rate)
    check_count(path, raw.n_times * len(picks))
    values = np.empty((len(picks), raw.n_times), np.float32)
    step = max(AT_ONCE // len(picks), 1)
    with complaints(path):
        for begin in range(0, raw.n_times, step):
            end = min(begin + step, raw.n_times)
            values[:, begin:end] = raw.get_data(picks=picks, start=begin, stop=end)
    left += _without_spoilt(values, rate, file.marks)
    left += [("file", each[:200]) for each in file.warnings]
    times = steady_times(raw.n_times, rate)
    waves = tuple(Wave(name, unit, rate, times, row) for (name, unit), row in zip(named, values, strict=True))
    return Content(waves, tuple(left), start=_start(raw), annotations=file.marks)


def _without_spoilt(values: NDArray[np.float32], rate: float, marks: tuple[Annotation, ...]) -> list[tuple[str, str]]:
    """Spans that somebody marked as bad are lost samples; what was done is said."""
    seconds = 0.0
    names: Counter[str] = Counter()
    for mark in marks:
        if mark.text.casefold().startswith(SPOILT) and mark.duration:
            begin = int(np.clip(round(mark.onset * rate), 0, values.shape[1]))
            end = int(np.clip(round((mark.onset + mark.duration) * rate), 0, values.shape[1]))
            values[:, begin:end] = np.nan
            seconds += (end - begin) / rate
            names[mark.text[:40]] += 1
    if not seconds:
        return []
    words = ", ".join(f"{count} {name}" for name, count in names.most_common(3))
    return [("not read", f"{seconds:.1f} s that are marked as bad ({words})")]


def _marks(raw: Raw) -> tuple[Annotation, ...]:
    rate = raw.info["sfreq"]
    assert isinstance(rate, int | float)
    found = [
        # an onset counts from the start of the measurement, samples from where the recording was switched on
        # what lasts one sample is a moment: BrainVision has no other
        Annotation(float(onset) - raw.first_time, float(duration) if duration * rate > 1.5 else None, str(text))
        for onset, duration, text in zip(
            raw.annotations.onset,  # type: ignore[attr-defined]
            raw.annotations.duration,  # type: ignore[attr-defined]
            raw.annotations.description,  # type: ignore[attr-defined]
            strict=True,
        )
    ]
    return tuple(sorted(found, key=lambda mark: mark.onset))


def _start(raw: Raw) -> Start | None:
    moment = raw.info["meas_date"]
    if moment is None:
        return None
    seconds: float = moment.timestamp()  # type: ignore[attr-defined]
    return Start(round((seconds + raw.first_time) * SECOND), zoned=True)

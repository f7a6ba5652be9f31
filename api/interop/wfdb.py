"""WFDB, the format of PhysioNet: a zip with one record per regular waveform, and beats in .atr files.

https://wfdb.io/spec/ (header.5, signal.5, annot.5). A record has the rate that its device really had by our clock, so
that a sample's number tells its time to half a sample however long it ran. Gaps and lost samples are the format's own
value for them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from api.interop import flows
from api.interop.edf import MOST_SPAN, NotInEdf, plain
from api.interop.flows import Flow, Pipe, Survey
from api.interop.session import Exported
from api.store import Transaction
from kiosk.messages import SECOND

FINE = 500
"""Steps in a channel's standard deviation at least, else it takes 32 bits: one artefact drowns a small wave in 16."""
_TYPES = {16: "<i2", 32: "<i4"}
_BOUND = {16: (1 << 15) - 1, 32: (1 << 31) - 1}
_NORMAL, _SKIP = 1, 59
_PIECE = 1 << 18
"""Slots of a gap that are filled at a time."""
_PREFIX = {"ecg": "ECG ", "eeg": "EEG ", "ppg": "PPG ", "respiration": "RESP ", "eda": "EDA ", "acceleration": "ACC ",
           "skin_temperature": "TEMP "}  # fmt: skip
_UNITS = {"1": "NU", "Cel": "degC"}


@dataclass(frozen=True, slots=True)
class Scale:
    """A channel's quantisation: value = (digital - baseline) / gain."""

    gain: float
    baseline: int
    bits: int

    def digital(self, values: NDArray[np.float32]) -> NDArray[np.int64]:
        """The nearest steps; the format's value for a lost sample for what is no number."""
        bound = _BOUND[self.bits]
        known = np.isfinite(values)
        steps = np.rint(np.where(known, values, 0.0).astype(np.float64) * self.gain) + self.baseline
        found: NDArray[np.int64] = np.where(known, np.clip(steps, -bound, bound), -bound - 1).astype(np.int64)
        return found


def bits_of(known: Survey) -> int:
    """16 where they are fine enough for every channel of a flow, else 32."""
    steps = (known.high - known.low) / (2 * _BOUND[16])
    moved = np.isfinite(steps) & (known.spread > 0)
    return 32 if (steps[moved] * FINE > known.spread[moved]).any() else 16


def scale_of(low: float, high: float, bits: int) -> Scale:
    """The finest that holds all samples, whose baseline is still a 32-bit number."""
    if not low <= high:
        low, high = -1.0, 1.0
    middle = (low + high) / 2
    half = max((high - low) / 2, 2.0**-23 * max(abs(low), abs(high)), 1e-9)
    # a step less than there are, for what rounding takes; 24 bits are all that a float32 has
    gain = float(f"{min((_BOUND[bits] - 2) / half, 2.0**30 / max(abs(middle), 1e-30), 9e11):.12g}")
    return Scale(gain, -round(middle * gain), bits)


def write(db: Transaction, given: Exported, pipe: Pipe) -> Iterator[None]:
    """The zip, a piece at a time."""
    regular = [flow for flow in given.flows if flow.rate is not None]
    if flows.reach(regular) > MOST_SPAN:
        raise NotInEdf("its samples are further apart than 400 hours")
    names = [f"r{number:02}_{name}" for number, name in enumerate(flows.file_names(regular), 1)]
    beating = _beating(regular)
    with ZipFile(pipe, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(ZipInfo("RECORDS"), "".join(f"{name}\n" for name in names))
        archive.writestr(ZipInfo("README.txt"), _readme(given))
        for name, flow in zip(names, regular, strict=True):
            known = flows.survey(db, flow)
            rate = known.measured_rate(flow.rate or 0.0)
            bits = bits_of(known)
            scales = [scale_of(float(a), float(b), bits) for a, b in zip(known.low, known.high, strict=True)]
            dat = _Dat(scales)
            yield
            with archive.open(_compressed(f"{name}.dat"), "w", force_zip64=True) as file:
                for slot, samples in flows.slotted(db, flow, flows.places(known, rate, known.first)):
                    yield from dat.fill(file, slot)
                    dat.add(file, samples)
                    yield
            archive.writestr(_compressed(f"{name}.hea"), _header(given, name, flow, known, rate, dat))
            if flow in beating and len(given.beats):
                archive.writestr(_compressed(f"{name}.atr"), annotations(given.beats, known.first, rate))
    yield


def _compressed(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def _beating(regular: list[Flow]) -> list[Flow]:
    """The records that beats are annotated in: electrocardiograms, else the first pulse wave."""
    found = [flow for flow in regular if flow.signal == "ecg"]
    return found or [flow for flow in regular if flow.signal == "ppg"][:1]


@dataclass(slots=True)
class _Dat:
    """What of a record's signal file is written."""

    scales: list[Scale]
    slots: int = 0
    first: list[int] = field(default_factory=list)
    sums: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros(len(self.scales), np.int64)

    @property
    def bits(self) -> int:
        return self.scales[0].bits

    def fill(self, file: IO[bytes], until: int) -> Iterator[None]:
        while self.slots < until:
            count = min(until - self.slots, _PIECE)
            self._write(file, np.full((count, len(self.scales)), -_BOUND[self.bits] - 1, np.int64))
            yield

    def add(self, file: IO[bytes], samples: NDArray[np.float32]) -> None:
        each = [scale.digital(samples[:, place]) for place, scale in enumerate(self.scales)]
        self._write(file, np.stack(each, axis=1))

    def _write(self, file: IO[bytes], rows: NDArray[np.int64]) -> None:
        if not self.first and len(rows):
            self.first = [int(value) for value in rows[0]]
        self.sums += rows.sum(axis=0)
        self.slots += len(rows)
        file.write(rows.astype(_TYPES[self.bits]).tobytes())


def _header(given: Exported, name: str, flow: Flow, known: Survey, rate: float, dat: _Dat) -> str:
    said = f"{name} {len(flow.channels)} {rate:.12g} {dat.slots}"
    if given.origin is not None:
        begin = given.origin + timedelta(microseconds=known.first // 1000)
        said += begin.strftime(" %H:%M:%S.%f %d/%m/%Y")
    unit = _UNITS.get(flow.unit, flow.unit)
    lines = [said]
    for channel, scale, first, total in zip(flow.channels, dat.scales, dat.first, dat.sums.tolist(), strict=True):
        checksum = (total + (1 << 15)) % (1 << 16) - (1 << 15)
        title = " ".join(plain(f"{_PREFIX.get(flow.signal, '')}{channel}").split())
        middle = f"{scale.gain:.12g}({scale.baseline})/{unit} {scale.bits} 0 {first} {checksum} 0"
        lines.append(f"{name}.dat {scale.bits} {middle} {title}")
    notes = [
        f"{plain(flow.device)}: {flow.signal}, nominally {flow.rate:g} Hz",
        f"begins {known.first / SECOND:.6f} s after the session's time zero",
        f"session {plain(given.session)}, revision {given.revision}",
        f"patient {plain(given.pseudonym or 'not assigned')}",
    ]
    if given.simulated:
        notes.append("simulated: no person sat there")
    return "\n".join([*lines, *(f"# {' '.join(note.split())}" for note in notes)]) + "\n"


def annotations(beats: NDArray[np.float64], first_ns: int, rate: float) -> bytes:
    """Beats as a .atr file of a record that begins at a time; those before its first sample are left out."""
    slots = np.rint((beats - first_ns / SECOND) * rate).astype(np.int64)
    words = bytearray()
    before = 0
    for slot in np.unique(slots[slots >= 0]).tolist():
        step = slot - before
        if step > 1023:
            # the high half comes first
            words += struct.pack("<HHH", _SKIP << 10, step >> 16 & 0xFFFF, step & 0xFFFF)
            step = 0
        words += struct.pack("<H", _NORMAL << 10 | step)
        before = slot
    return bytes(words + b"\0\0")


def _readme(given: Exported) -> str:
    lines = [
        f"Session {plain(given.session)}, recorded by {plain(given.kiosk)}.",
        "One record per device and signal; its rate is the device's own by the kiosk's clock.",
        "Samples that are missing have the lowest value of the format, which readers return as not-a-number.",
        "Annotations (.atr) are the beats of the newest analysis, revision " + str(given.revision) + ".",
    ]
    left = [flow for flow in given.flows if flow.rate is None]
    if left:
        lines.append("Not here, because its samples have times of their own (ask for CSV or Parquet):")
        lines += [f"  {plain(flow.device)}: {flow.signal}" for flow in left]
    return "\n".join(lines) + "\n"

"""EEG: rest and arithmetic, eyes closed and open, powers beside mne, blinks, and what it costs.

Nothing of the analysis was fitted to these recordings; thresholds are published, or said with their reason.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mne.time_frequency import psd_array_welch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analytics import eeg
from analytics.eeg import LiveEeg, spectra
from analytics.eeg.bands import LIMITS
from analytics.eeg.whole import Analysed, analysed
from kiosk.measures import BANDS
from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors.files import read
from tests.benchmarks._affect_eeg_blinks import blinks
from tests.benchmarks._affect_eeg_faults import faults
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]

PEOPLE = 12
PART = 12.0
"""Seconds of a stretch that is told rest or arithmetic: the least that the final analysis answers is ten."""
USED = (
    *(f"eeg_{band}" for band in BANDS), *(f"eeg_{band}_relative" for band in BANDS),
    "eeg_theta_beta", "eeg_engagement", "eeg_slowing", "eeg_mobility", "eeg_complexity", "eeg_exponent",
    "eeg_asymmetry",
)  # fmt: skip
"""Measures of the product, all that are told of nearly every stretch; the logarithm of all but the last two."""
PLAIN = ("eeg_exponent", "eeg_asymmetry")
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Stretches:
    """A row per stretch of every person."""

    persons: NDArray[np.intp]
    tasks: NDArray[np.intp]
    """0 rest, 1 arithmetic."""
    ours: Floats
    theirs: Floats
    """Log band power of each channel by mne, nothing else done."""


def run(folder: Path, *, quick: bool) -> None:
    """All tables."""
    _rest_and_task(folder / "eeg" / "eegmat")
    _told_apart(folder / "eeg" / "eegmat")
    _beside_mne(folder / "eeg", people=2 if quick else PEOPLE)
    _eyes(folder / "eeg" / "biosppy")
    faults(folder / "eeg" / "eegmat", people=2 if quick else PEOPLE)
    blinks(seeds=1 if quick else 4)
    _cost(minutes=0.5 if quick else 3.0)


def _track(path: Path) -> Track:
    (found,) = read(path).of("eeg")
    return found


def _person(folder: Path, person: int, part: int) -> Track:
    return _track(folder / f"Subject{person:02}_{part}.edf")


def _values(track: Track) -> dict[str, float]:
    return {
        each.finding.measure: np.nan if each.finding.value is None else each.finding.value
        for each in eeg.answers(track)
    }


def _rest_and_task(folder: Path) -> None:
    rows, fallen, less = [], 0, 0
    for person in range(PEOPLE):
        rest, task = (_values(_person(folder, person, part)) for part in (1, 2))
        fell = task["eeg_alpha"] < rest["eeg_alpha"]
        fallen += fell
        less += task["eeg_alpha_relative"] < rest["eeg_alpha_relative"]
        rows.append(
            (
                person,
                *(
                    f"{rest[measure]:.{digits}f} -> {task[measure]:.{digits}f}"
                    for measure, digits in (
                        ("eeg_alpha", 1), ("eeg_alpha_relative", 2), ("eeg_alpha_peak", 1), ("eeg_engagement", 2),
                        ("eeg_slowing", 2), ("eeg_exponent", 2), ("eeg_usable", 0),
                    )
                ),
                "yes" if fell else "no",
            )
        )  # fmt: skip
    rows.append(("all", "", f"share falls in {less} of {PEOPLE}", "", "", "", "", "", f"{fallen} of {PEOPLE}"))
    report(
        "real: EEGMAT, rest -> mental arithmetic, final analysis of whole recordings (nan: not present)",
        ("person", "alpha uV2", "share", "peak Hz", "engagement", "slowing", "exponent", "usable %", "alpha falls"),
        rows,
    )


def _parts(track: Track) -> Iterator[Track]:
    start, length = int(track.times[0]), round(PART * SECOND)
    while start + length <= int(track.times[-1]) + SECOND // 100:
        yield track.between(start, start + length)
        start += length


def _stretches(folder: Path) -> tuple[Stretches, int]:
    persons, tasks, ours, theirs, dropped = [], [], [], [], 0
    for person in range(PEOPLE):
        for task in (0, 1):
            for part in _parts(_person(folder, person, task + 1)):
                values = _values(part)
                row = [values[name] if name in PLAIN else np.log(values[name]) for name in USED]
                if not np.isfinite(row).all():
                    dropped += 1
                    continue
                persons.append(person)
                tasks.append(task)
                ours.append(row)
                theirs.append(_mne_powers(part).ravel())
    return Stretches(np.array(persons), np.array(tasks), np.array(ours), np.array(theirs)), dropped


def _mne_powers(track: Track) -> Floats:
    """(channels, bands): log10 of the integrated density."""
    rate = track.rate or 1.0
    size = 2 * round(rate)
    density, found = psd_array_welch(
        track.samples.T.astype(np.float64), rate, n_fft=size, n_per_seg=size, n_overlap=size // 2, verbose="ERROR"
    )
    return np.log10(_integrated(density, found))


def _integrated(density: Floats, found: Floats) -> Floats:
    columns = []
    for low, high in LIMITS.values():
        inside = (found >= low) & (found <= high)
        columns.append(np.trapezoid(density[..., inside], found[inside], axis=-1))
    return np.stack(columns, axis=-1)


def _over_channels(rows: Floats) -> Floats:
    """The mean of the channels' logarithms, a column per band."""
    return np.asarray(rows.reshape(len(rows), -1, len(BANDS)).mean(axis=1))


def _centred(rows: Floats, persons: NDArray[np.intp]) -> Floats:
    """Against the mean of all stretches of the same person, whatever their label."""
    found = rows.copy()
    for person in np.unique(persons):
        found[persons == person] -= rows[persons == person].mean(axis=0)
    return found


def _told_apart(folder: Path) -> None:
    table, dropped = _stretches(folder)
    alpha = table.ours[:, [USED.index("eeg_alpha")]]
    ways = [
        ("ours, against the person's own mean", _centred(table.ours, table.persons)),
        ("alpha alone, against the person's own mean", _centred(alpha, table.persons)),
        ("ours, as they are", table.ours),
        ("mne band powers, mean of channels, against own mean", _centred(_over_channels(table.theirs), table.persons)),
        ("mne band powers per channel, against own mean", _centred(table.theirs, table.persons)),
        ("mne band powers per channel, as they are (plain)", table.theirs),
    ]
    said = [(name, _held_out(rows, table)) for name, rows in ways]
    plain = _each_person(said[-1][1], table)
    rows = []
    for name, claims in said:
        each = _each_person(claims, table)
        low, high = _interval(each)
        better_low, better_high = _interval(each - plain)
        rows.append(
            (
                name,
                f"{_balanced(claims, table.tasks):.3f}",
                f"{each.mean():.3f}",
                f"{low:.3f} .. {high:.3f}",
                f"{(each - plain).mean():+.3f} ({better_low:+.3f} .. {better_high:+.3f})",
                f"{int((each > 0.5).sum())} of {PEOPLE}",
            )
        )
    rest, task = int((table.tasks == 0).sum()), int((table.tasks == 1).sum())
    report(
        f"real: EEGMAT, leave one person out, {rest} stretches of rest and {task} of arithmetic of {PART:.0f} s "
        f"({dropped} left out: unusable); logistic regression, balanced, standardised on the others",
        ("features", "balanced accuracy", "mean of people", "95 % (people drawn)", "over plain", "people above .5"),
        rows,
    )


def _held_out(rows: Floats, table: Stretches) -> NDArray[np.intp]:
    said = np.zeros(len(rows), dtype=np.intp)
    for person in np.unique(table.persons):
        mine = table.persons == person
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
        model.fit(rows[~mine], table.tasks[~mine])
        said[mine] = model.predict(rows[mine])
    return said


def _balanced(said: NDArray[np.intp], truth: NDArray[np.intp]) -> float:
    return float(np.mean([(said[truth == label] == label).mean() for label in (0, 1)]))


def _each_person(said: NDArray[np.intp], table: Stretches) -> Floats:
    return np.array(
        [_balanced(said[mine], table.tasks[mine]) for person in range(PEOPLE) for mine in [table.persons == person]]
    )


def _interval(each: Floats) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = each[rng.integers(0, len(each), (DRAWS, len(each)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _beside_mne(folder: Path, *, people: int) -> None:
    paths = [folder / "eegmat" / f"Subject{person:02}_{part}.edf" for person in range(people) for part in (1, 2)]
    same, whole = [], []
    for path in paths:
        track = _track(path)
        found = analysed(track)
        assert isinstance(found, Analysed)
        size = spectra.size(track.rate or 1.0)
        density, hertz = psd_array_welch(
            track.samples.T.astype(np.float64), track.rate or 1.0, n_fft=size, n_per_seg=size, n_overlap=size // 2,
            window="hann", average=None, verbose="ERROR",
        )  # fmt: skip
        used = np.isfinite(found.tally.bands[:, :, 0]).T & found.picture.good[:, None]
        kept = np.array([each[:, fine].mean(axis=1) for each, fine in zip(density, used, strict=True) if fine.any()])
        ours = found.picture.bands[found.picture.good].mean(axis=0)
        same.append(ours / _integrated(kept, hertz).mean(axis=0) - 1)
        whole.append(ours / _integrated(density.mean(axis=2), hertz).mean(axis=0) - 1)
    report(
        f"real: EEGMAT, {len(paths)} recordings, our band powers against mne's psd_array_welch (2 s, Hann)",
        ("over", *BANDS),
        [
            ("the windows that we use: median (largest) difference", *_percents(np.array(same))),
            ("all windows, artefacts and padding too: median (largest) difference", *_percents(np.array(whole))),
        ],
    )


def _percents(found: Floats) -> Iterable[str]:
    for column in found.T:
        yield f"{100 * np.median(column):+.2f} % ({100 * column[np.argmax(np.abs(column))]:+.2f} %)"


def _eyes(folder: Path) -> None:
    closed, opened = (_track(folder / f"eeg_{name}.txt.gz") for name in ("ec", "eo"))
    rows = [
        ("eyes closed over open, alpha (eeg_eyes_contrast)", f"{eeg.eyes_contrast(closed, opened) or np.nan:.2f}"),
        ("closed: usable %, share of alpha", _brief(closed)),
        ("open: usable %, share of alpha", _brief(opened)),
    ]
    report("real: BioSPPy, one person, one channel, 125 Hz, raw counts", ("", ""), rows)


def _brief(track: Track) -> str:
    values = _values(track)
    return f"{values['eeg_usable']:.0f}, {values['eeg_alpha_relative']:.3f}"


def _cost(*, minutes: float) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for channels, rate in ((1, 125.0), (8, 250.0), (8, 500.0), (19, 500.0), (64, 160.0), (64, 1000.0)):
        count = round(60 * minutes * rate)
        names = tuple(f"{row}{n}" for row in ("AF", "F", "FC", "C", "CP", "P", "PO") for n in "z123456789")[:channels]
        samples = np.cumsum(rng.standard_normal((count, channels)), axis=0)
        samples = (samples - samples.mean(axis=0)).astype(np.float32)
        times = np.rint(np.arange(count) * SECOND / rate).astype(np.int64)
        track = Track("eeg", "cap", names, rate, times, samples)
        began = time.process_time()
        eeg.answers(track)
        final = time.process_time() - began
        live, step = LiveEeg(rate, names), max(1, round(rate / 10))
        live.feed(times[: round(6 * rate)], samples[: round(6 * rate)])
        live.reset()
        began = time.process_time()
        for begin in range(0, count, step):
            live.feed(times[begin : begin + step], samples[begin : begin + step])
        spent = time.process_time() - began
        hours = channels * minutes / 60
        rows.append(
            (channels, f"{rate:g}", f"{final / hours:.2f}", f"{spent / hours:.2f}", f"{spent / minutes / 60:.4f}")
        )
    report(
        f"synthetic: CPU, {minutes:g} min of noise in chunks of .1 s, one thread",
        ("channels", "Hz", "final: s per channel-hour", "live: s per channel-hour", "live: cores"),
        rows,
    )

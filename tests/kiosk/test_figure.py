"""The figure of a recording: what it shows is what was found, whatever the recording lacks."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.session import FinalReading, Result
from kiosk.commands import figure
from kiosk.commands.figure.axes import moment
from kiosk.commands.figure.panels import MOST_INTERVALS, Mark, panels
from kiosk.commands.figure.waves import BINS, envelope
from kiosk.measures import BANDS, MEASURES, Reason
from kiosk.recording import Recording, Track
from kiosk.signals import VOICE_CHANNELS
from sensors.drivers.simulated import Body, Person

PERSON = Person(seed=3, heart_rate=66)
RATE = 250.0


def track(signal: str, values: np.ndarray, times: np.ndarray | None = None, *, channels: tuple[str, ...] = ()) -> Track:
    values = values.reshape(len(values), -1).astype(np.float32)
    rate = RATE if times is None else None
    seconds = np.arange(len(values)) / RATE if times is None else times
    names = channels or tuple(f"c{i}" for i in range(values.shape[1]))
    return Track(signal, "d", names, rate, np.rint(seconds * 1e9).astype(np.int64), values)


def reading(measure: str, value: float | None, absent: Reason | None = None, source: str = "ecg") -> FinalReading:
    unit = MEASURES[measure].unit
    return FinalReading(measure, value, unit, None, None, 0.9, source, "recording", "m-1", 0, 60, absent, True)


def visit(seconds: float = 120) -> tuple[Recording, Result]:
    """A simulated ECG with its true beats."""
    times = np.arange(round(seconds * RATE)) / RATE
    beats = Body(PERSON).truth(0, seconds).beats
    readings = (
        reading("heart_rate", 66.0),
        reading("sd1", 20.0),
        reading("sd2", 60.0),
        reading("stress", None, "noisy"),
    )
    ecg = track("ecg", Body(PERSON).ecg(times), channels=("II",))
    return Recording((ecg,), "visit.csv", None, (("unit", "mV"),)), Result(readings, "ecg", tuple(beats))


def beats_alone(count: int) -> tuple[Recording, Result]:
    lengths = 0.8 + 0.05 * np.sin(np.arange(count) / 3)
    beats = tuple(np.cumsum(lengths).tolist())
    return Recording((), "rr.txt", beats), Result((reading("heart_rate", 75.0, source="rr"),), "rr", beats)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 20, shape)


def alone(*tracks: Track, readings: tuple[FinalReading, ...] = (), source: str = "") -> tuple[Recording, Result]:
    return Recording(tracks, "waves.edf"), Result(readings, source)


FRAMES = np.cumsum(np.random.default_rng(2).uniform(0.02, 0.05, 900))
RECORDINGS: Mapping[str, Callable[[], tuple[Recording, Result]]] = {
    "ecg": visit,
    "rr": lambda: beats_alone(300),
    "eeg": lambda: alone(track("eeg", noise(5000, 3))),
    "irregular": lambda: alone(
        track("ppg", noise(900, 3), FRAMES, channels=("R", "G", "B")),
        readings=(reading("heart_rate", None, "noisy", "ppg"),),
        source="ppg",
    ),
    "flat": lambda: alone(track("ecg", np.zeros(5000)), readings=(reading("heart_rate", None, "flat"),), source="ecg"),
    "lost": lambda: alone(track("ecg", np.r_[np.full(2000, np.nan), np.ones(9)])),
    "few": lambda: alone(track("ecg", np.arange(2.0))),
    "nothing": alone,
}


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html"])
@pytest.mark.parametrize("name", RECORDINGS)
def test_every_kind_of_recording_is_drawn(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"figure{suffix}"
    figure.write(path, *RECORDINGS[name]())
    content = path.read_bytes()
    if suffix == ".png":
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(content[16:20]) == pytest.approx(1418, abs=2)  # 180 mm at 200 dots an inch
    elif suffix == ".svg":
        assert ET.fromstring(content).tag.endswith("svg")
    else:
        assert not re.search(rb'<(?:script|link|img)[^>]*(?:src|href)="?http', content)
        assert f"<title>{RECORDINGS[name]()[0].name}</title>".encode() in content


def test_beats_stand_on_the_waves_of_the_detail() -> None:
    recording, result = visit()
    shown = panels(recording, result)
    assert shown.wave is not None
    (points,) = shown.beats
    start, end = shown.wave.window
    assert end - start == 10
    assert points.x.tolist() == [beat for beat in result.beats if start <= beat <= end]
    # R maxima are the tallest of all: each within a sample's rounding of the tallest around it
    trace = shown.wave.traces[0]
    for x, y in zip(points.x, points.y, strict=True):
        near = trace.detail[np.abs(trace.detail_times - x) < 0.1]
        assert y > near.min() + 0.8 * np.ptp(near)


def test_marks_say_what_was_done_to_a_beat() -> None:
    recording, result = visit()
    beats = result.beats
    changed = replace(result, corrected=(40,), removed=(beats[45] + 0.3,), ectopic=(beats[50], beats[40]))
    shown = panels(recording, changed)
    counts = {points.mark: len(points.x) for points in shown.noted}
    assert counts == {Mark.CORRECTED: 1, Mark.REMOVED: 1, Mark.ECTOPIC: 2}
    assert shown.tachogram is not None
    # a beat that is not as measured has an interval on either side
    assert {points.mark: len(points.x) for points in shown.tachogram.points} == {Mark.CORRECTED: 2, Mark.ECTOPIC: 4}
    assert shown.wave is not None
    start, end = shown.wave.window
    assert any(start < time < end for time in (beats[40], beats[45] + 0.3, beats[50]))


def test_the_ellipse_is_of_the_readings_and_absent_with_them() -> None:
    recording, result = visit()
    shown = panels(recording, result).poincare
    assert shown is not None
    assert (shown.sd1, shown.sd2) == (20.0, 60.0)
    bare = panels(recording, replace(result, readings=result.readings[:1])).poincare
    assert bare is not None
    assert (bare.sd1, bare.sd2) == (None, None)


def test_the_table_shows_reasons_after_values() -> None:
    rows = panels(*visit()).rows
    assert (rows[0].title, rows[0].value) == ("Heart rate", "66")
    assert [(row.title, row.value, row.unit) for row in rows if row.absent] == [("Stress", "noisy", "")]
    assert rows[-1].absent


def test_one_reason_for_everything_is_said_once() -> None:
    recording, result = visit()
    absent = tuple(reading(name, None, "noisy") for name in ("heart_rate", "sdnn", "rmssd"))
    assert [(row.title, row.value) for row in panels(recording, replace(result, readings=absent)).rows] == [
        ("No values", "noisy")
    ]


def test_the_spectrum_peaks_where_the_intervals_swing() -> None:
    beats = [0.0]
    while beats[-1] < 300:
        beats.append(beats[-1] + 0.8 + 0.04 * np.sin(2 * np.pi * 0.25 * beats[-1]))
    shown = panels(Recording((), "rr", tuple(beats)), Result((), "rr", tuple(beats))).spectrum
    assert shown is not None
    assert shown.frequencies[np.argmax(shown.density)] == pytest.approx(0.25, abs=0.01)
    # the variance of a swing of 40 ms
    power = float(shown.density.sum() * (shown.frequencies[1] - shown.frequencies[0]))
    assert power == pytest.approx(40**2 / 2, rel=0.1)


def test_a_day_is_drawn_with_no_more_points_than_a_page_has_room_for(tmp_path: Path) -> None:
    recording, result = beats_alone(100_000)
    shown = panels(recording, result)
    assert shown.tachogram is not None
    assert shown.poincare is not None
    assert len(shown.tachogram.times) <= BINS
    assert len(shown.poincare.x) <= MOST_INTERVALS
    figure.write(tmp_path / "day.svg", recording, result)
    assert (tmp_path / "day.svg").stat().st_size < 2_000_000


def test_an_envelope_holds_every_extreme() -> None:
    values = np.random.default_rng(0).normal(0, 1, 50_000)
    values[777], values[40_000] = 50, -60
    values[10_000:10_200] = np.nan
    _, low, high = envelope(np.arange(50_000) / 250, values, 500)
    assert len(low) == 500
    assert (float(np.nanmin(low)), float(np.nanmax(high))) == (-60.0, 50.0)
    assert np.isnan(low).any()


def test_the_channel_with_the_clearest_beats_is_shown() -> None:
    recording, result = visit(60)
    good = recording.tracks[0].samples[:, 0]
    noise = np.random.default_rng(0).normal(0, 5, len(good))
    two = track("ecg", np.column_stack([noise, good]), channels=("I", "II"))
    shown = panels(replace(recording, tracks=(two,)), result)
    assert shown.wave is not None
    assert [trace.name for trace in shown.wave.traces] == ["II"]


def test_a_file_s_name_is_no_markup(tmp_path: Path) -> None:
    recording, result = beats_alone(30)
    path = tmp_path / "x.html"
    figure.write(path, replace(recording, name="<img src=x onerror=alert(1)>.rr"), result)
    assert b"<img src=x" not in path.read_bytes()


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_names_are_drawn_as_they_are_called(tmp_path: Path, suffix: str) -> None:
    name = "cost $5_$6 \x1b]0;\x07 <a href='https://evil.example'>II</a>"
    wave = track("ecg", noise(500), channels=(name,))
    recording, result = alone(wave)
    path = tmp_path / f"x.{suffix}"
    figure.write(path, replace(recording, name=f"{name}.csv"), result)
    written = path.read_bytes()
    assert b"<a href='https://evil" not in written
    assert b"\x1b]0" not in written
    if suffix == "svg":
        ET.fromstring(written)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (3723.4, "1:02:03.4"), (-1.5, "-0:01.5")]
)
def test_moments_read_as_clocks(seconds: float, text: str) -> None:
    assert moment(seconds) == text


def brain(seconds: float = 60) -> Recording:
    times = np.arange(round(seconds * RATE)) / RATE
    body = Body(replace(PERSON, eeg_noise=0.5))
    return Recording((track("eeg", body.eeg(times), channels=body.channels("eeg")),), "brain.edf")


def voice(scored: bool) -> Recording:
    times = np.arange(1.0, 9.0)
    rows = np.full((len(times), len(VOICE_CHANNELS)), 180.0)
    rows[3] = np.nan  # a second in which nobody spoke
    tracks = [track("voice_functionals", rows, times, channels=VOICE_CHANNELS)]
    if scored:
        shares = np.tile([0.7, 0.2, 0.1], (4, 1))
        names = tuple(f"net.{name}" for name in ("neutral", "anger", "boredom"))
        tracks.append(track("voice_scores", shares, times[::2], channels=names))
    return Recording(tuple(tracks), "voice.flac")


def test_a_brain_is_shown_by_its_spectrum_and_its_bands() -> None:
    shown = panels(brain(), Result(()))
    spectrum, bands = shown.charts
    assert [line.name for line in spectrum.lines] == ["mean of the channels", "aperiodic"]
    above = spectrum.lines[0].y / spectrum.lines[1].y
    assert 8 <= spectrum.lines[0].x[np.argmax(above)] <= 13  # alpha stands above what is under it
    assert [line.name for line in bands.lines] == list(BANDS)
    assert np.allclose(sum(line.y for line in bands.lines), 1.0)


def test_a_voice_is_shown_by_its_pitch_and_how_it_sounded() -> None:
    assert [chart.title for chart in panels(voice(scored=False), Result(())).charts] == ["Pitch of the voice"]
    pitch, sounded = panels(voice(scored=True), Result(())).charts
    middle = pitch.lines[0].y
    assert np.isnan(middle[3])
    assert np.nanmedian(middle) == 180.0
    assert {line.name: round(float(line.y[0]), 3) for line in sounded.lines} == {
        "neutral": 0.7, "anger": 0.2, "boredom": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_charts_are_drawn_on_paper_and_page(suffix: str, tmp_path: Path) -> None:
    for name, recording in (("brain", brain(20)), ("voice", voice(scored=True))):
        path = tmp_path / f"{name}.{suffix}"
        figure.write(path, recording, Result(()))
        assert path.stat().st_size > 10_000
        if suffix == "svg":
            # letters are drawn as curves; what they say stands beside them
            assert (
                f"<!-- {'Spectrum of the EEG' if name == 'brain' else 'How the voice sounded'} -->" in path.read_text()
            )

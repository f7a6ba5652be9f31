"""Beat-to-beat intervals in every way that people write them down."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.errors import BadRecording
from sensors import files


@given(
    lengths=st.lists(st.integers(350, 1600), min_size=5, max_size=300),
    separator=st.sampled_from(["\n", " ", ",", ", ", ";", "\t", "\r\n", "  \n"]),
    unit=st.sampled_from(["ms", "s", "s,"]),
    header=st.sampled_from(["", "# a remark\n", "RR\n"]),
    per_line=st.integers(0, 12),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_intervals_read_back_whatever_separates_them(
    tmp_path: Path, lengths: list[int], separator: str, unit: str, header: str, per_line: int
) -> None:
    texts = [str(length) if unit == "ms" else f"{length / 1000:.3f}" for length in lengths]
    if unit == "s,":
        if "," in separator:
            separator = "\n"
        texts = [text.replace(".", ",") for text in texts]
    if header == "RR\n" and per_line == 2:
        per_line = 0  # one name above two numbers with a comma between them is one number
    if per_line and separator.strip(" "):
        body = "\n".join(separator.join(texts[i : i + per_line]) for i in range(0, len(texts), per_line))
    else:
        body = separator.join(texts)
    path = tmp_path / "beats.txt"
    path.write_bytes((header + body + "\n").encode())
    recording = files.read(path, kind="rr")
    np.testing.assert_allclose(np.diff(recording.beats or ()), np.array(lengths) / 1000, atol=1e-9)
    np.testing.assert_array_equal(recording.tracks[0].samples[:, 0], np.array(lengths, np.float32))
    assert recording.tracks[0].signal == "rr"


def test_intervals_are_recognised_by_their_name_or_their_values(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lengths = np.rint(850 + 40 * np.sin(np.arange(200) * 1.3) + rng.normal(0, 20, 200))
    for name in ("person.txt", "person_rr.csv", "a.ibi"):
        (tmp_path / name).write_text("\n".join(f"{length:.0f}" for length in lengths))
        recording = files.read(tmp_path / name)
        np.testing.assert_allclose(np.diff(recording.beats or ()), lengths / 1000, atol=1e-9)
    assert dict(files.read(tmp_path / "person.txt").assumed) == {"kind": "rr, from the values", "unit": "ms"}


def test_a_smooth_wave_of_the_same_height_is_not_taken_for_intervals(tmp_path: Path) -> None:
    wave = np.rint(600 + 150 * np.sin(np.arange(3000) / 12))
    (tmp_path / "adc.txt").write_text("\n".join(f"{value:.0f}" for value in wave))
    with pytest.raises(BadRecording, match="pass --rate"):
        files.read(tmp_path / "adc.txt")


def test_intervals_with_times_keep_their_gaps(tmp_path: Path) -> None:
    (tmp_path / "ibi.csv").write_text("t_s,rr_ms,kind\n0.8,800,N\n1.7,900,N\n9.5,850,N\n10.3,800,V\n")
    recording = files.read(tmp_path / "ibi.csv")
    np.testing.assert_allclose(recording.beats or (), [0, 0.8, 1.7, 8.65, 9.5, 10.3])
    np.testing.assert_allclose(recording.tracks[0].seconds, [0.8, 1.7, 9.5, 10.3])
    np.testing.assert_array_equal(recording.tracks[0].samples[:, 0], np.array([800, 900, 850, 800], np.float32))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("800\n0\n810\n", "interval 2 is 0"),
        ("800\n-5\n810\n", "interval 2 is -5"),
        ("800\n", "fewer than two"),
        ("800\nabc\n810\n900\n", "interval 2 is no number"),
        ("0.001\n0.002\n0.001\n", "no beat intervals"),
        ("900000\n800000\n900000\n", "no beat intervals"),
    ],
)
def test_what_cannot_be_intervals_is_refused(tmp_path: Path, text: str, cause: str) -> None:
    (tmp_path / "no.txt").write_text(text)
    with pytest.raises(BadRecording, match=cause):
        files.read(tmp_path / "no.txt", kind="rr")


def test_a_polar_file_holds_intervals_in_a_section(tmp_path: Path) -> None:
    (tmp_path / "run.hrm").write_text("[Params]\nVersion=106\nInterval=238\n\n[HRData]\n800\n810\n790\n\n[Other]\n5\n")
    np.testing.assert_allclose(files.read(tmp_path / "run.hrm").beats or (), [0, 0.8, 1.61, 2.4])


def test_the_real_series_keep_every_interval_exactly(recordings: Path) -> None:
    for number in (1, 2):
        path = recordings / f"rr/kubios/kubios_series_{number}_rr_ms.txt"
        beats = np.array(files.read(path).beats)
        np.testing.assert_allclose(np.diff(beats) * 1000, np.loadtxt(path), atol=1e-6)


def test_every_real_series_is_recognised(recordings: Path) -> None:
    found = [*(recordings / "rr/pyhrv_samples").glob("series_*.txt"), *(recordings / "rr/hrv").iterdir()]
    found += (recordings / "ppg/welltory").glob("*/RR.txt")
    assert len(found) > 50
    for path in found:
        recording = files.read(path)
        assert recording.beats is not None, path
        assert 0.3 < np.median(np.diff(recording.beats)) < 1.7, path

"""Layouts that recorders and spreadsheets write: the same ECG, whatever stands around it; and what is said of it."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from kiosk.errors import BadRecording
from sensors import files
from sensors.drivers.simulated import Body, Person

TIMES = np.arange(3000) / 250
ECG = np.round(Body(Person(seed=8, heart_rate=64)).ecg(TIMES).reshape(-1), 4)


def rows(form: str) -> str:
    return "".join(
        form.format(
            i=i, s=t, ms=1000 * t, x=x, uv=1000 * x, ds=f"{t:.3f}".replace(".", ","), dx=f"{x:.4f}".replace(".", ","),
            epoch=1.6e9 + t, iso=f"2021-05-06 07:08:{t:09.6f}",
        )
        for i, (t, x) in enumerate(zip(TIMES, ECG, strict=True))
    )  # fmt: skip


TEXTS: Mapping[str, str] = {
    "comma": "time_s,ecg_mV\n" + rows("{s:.3f},{x}\n"),
    "quoted head": '"Time (s)","ECG (mV)"\n' + rows("{s:.3f},{x}\n"),
    "byte order mark and CRLF": "\ufefftime_ms,ecg_mV\r\n" + rows("{ms:.0f},{x}\r\n"),
    "decimal commas": "Time [s];ECG [mV]\n" + rows("{ds};{dx}\n"),
    "units in a row": "time,ECG\ns,mV\n" + rows("{s:.3f},{x}\n"),
    "a column that counts": "index,time_s,ecg_mV\n" + rows("{i},{s:.3f},{x}\n"),
    "comments": "# device X\n# subject 3\ntime_s\tecg_mV\n" + rows("{s:.3f}\t{x}\n"),
    "Unix seconds": "timestamp,ecg_mV\n" + rows("{epoch:.3f},{x}\n"),
    "ISO stamps": "datetime,ecg_mV\n" + rows("{iso},{x}\n"),
    "microvolts": "time_s,ecg_uV\n" + rows("{s:.3f},{uv:.1f}\n"),
    "closed lines": "time_s;ecg_mV;\n" + rows("{s:.3f};{x};\n"),
    "blanks": "time_s ecg_mV\n" + rows("{s:8.3f} {x:10.4f}\n"),
    "no head": rows("{s:.3f},{x}\n"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", TEXTS)
def test_an_ecg_is_the_same_in_every_layout(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(TEXTS[name].encode(encoding))
    (track,) = files.read(path).tracks
    assert (track.signal, track.rate) == ("ecg", 250)
    assert track.samples[:, 0] == pytest.approx(ECG, abs=1e-4)
    assert track.seconds == pytest.approx(TIMES, abs=1e-6)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (TIMES[::-1], "go back at row 2"),
        (np.r_[TIMES[:9], TIMES[3:]], "go back at row 10"),
        (0 * TIMES, "stands still"),
    ],
)
def test_times_that_make_no_sense_are_refused_with_the_place(tmp_path: Path, times: np.ndarray, said: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time_s,ecg_mV\n" + "".join(f"{t:.3f},{x}\n" for t, x in zip(times, ECG, strict=False)))
    with pytest.raises(BadRecording, match=said):
        files.read(path)


def test_stamps_that_repeat_are_said_to_be_even(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time_s,ecg_mV\n" + "".join(f"{t:.2f},{x}\n" for t, x in zip(TIMES, ECG, strict=True)))
    recording = files.read(path)
    assert recording.tracks[0].rate == pytest.approx(250, rel=1e-3)
    assert "stamps repeat" in dict(recording.assumed)["time"]


def test_leads_of_one_recording_are_in_one_unit(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    # microvolts; one lead alone is so small that it could be millivolts
    leads = np.column_stack([1000 * ECG, 800 * ECG, 4 * ECG])
    np.savetxt(path, leads, header="I,II,III", comments="", delimiter=",", fmt="%.3f")
    recording = files.read(path, rate=250)
    assert recording.tracks[0].samples == pytest.approx(leads / 1000, abs=1e-4)
    assert all("uV" in part for part in dict(recording.assumed)["unit"].split("; "))


def test_axes_of_an_accelerometer_are_in_one_unit(tmp_path: Path) -> None:
    path = tmp_path / "ACC.csv"
    rest = np.column_stack([np.full(640, -3.0), np.full(640, 14.0), np.full(640, 62.0)])
    np.savetxt(path, rest, delimiter=",", fmt="%d", header="1600000000,1600000000,1600000000\n32,32,32", comments="")
    (track,) = files.read(path).tracks
    assert np.linalg.norm(track.samples, axis=1) == pytest.approx(1.0, abs=0.01)


def test_a_skin_conductance_beside_one_is_no_interval(tmp_path: Path) -> None:
    path = tmp_path / "EDA.csv"
    values = 0.9 + 0.05 * np.random.default_rng(0).normal(0, 1, 400)
    np.savetxt(path, np.r_[1.6e9, 4.0, values], fmt="%.6f")
    assert files.read(path).tracks[0].signal == "eda"


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_counts_become_millivolts_where_the_file_says_how_many(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    held = {"ecg_adu": np.rint(ECG * 200).astype(np.int16), "adu_per_mV": 200, "fs": 250, "r": np.arange(40)}
    np.savez(path, **held) if suffix == ".npz" else savemat(path, held)  # type: ignore[arg-type]
    recording = files.read(path)
    assert recording.assumed == ()
    assert recording.tracks[0].samples[:, 0] == pytest.approx(ECG, abs=0.003)


def test_names_of_leads_in_an_npz_are_used(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", signals=np.column_stack([ECG, ECG]), fs=250, leads=["II", "V5"])
    assert files.read(tmp_path / "x.npz").tracks[0].channels == ("II", "V5")


def test_an_npz_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, ecg=ECG, fs=250)
    content = path.read_bytes()
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        with pytest.raises(BadRecording, match=r"x\.npz"):
            files.read(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("notes.txt", "none")
    with pytest.raises(BadRecording, match="no array"):
        files.read(path)

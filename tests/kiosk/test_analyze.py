"""`kiosk analyze` on many files: order, exit codes, what is passed over, tables for people, places of figures."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from analytics.session import FinalReading
from analytics.session import Result as Session
from kiosk.__main__ import app
from kiosk.commands.analyze.job import FIELDS, Answer, Job, Outcome
from kiosk.commands.analyze.places import places
from kiosk.commands.analyze.tables import Tables
from kiosk.commands.workers import Done
from kiosk.errors import BadRecording
from kiosk.measures import MEASURES, Reason
from sensors.drivers.simulated.voice import speech

Kiosk = Callable[..., Result]


def one_by_one(function: Callable[[Job], Outcome], jobs: list[Job], **_: float) -> Iterator[Done[Outcome]]:
    for i, job in enumerate(jobs):
        yield Done(i, i + 1, function(job))


@pytest.fixture
def kiosk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kiosk:
    """The command in this process alone: what its processes do is tested once, and apart."""
    monkeypatch.setattr("kiosk.commands.analyze.results", one_by_one)
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path / "data"))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def intervals(path: Path, length: float, count: int = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(str(length + i % 7) for i in range(count)) + "\n")
    return path


def reading(measure: str, value: float | None = None, **more: object) -> FinalReading:
    fields: dict[str, object] = {
        "low": None, "high": None, "quality": 0.9, "source": "ecg", "scope": "recording", "method": "m-1", "start": 0.0,
        "end": 60.0, "absent": None if value is not None else "too_short", "preferred": True, **more,
    }  # fmt: skip
    return FinalReading(measure=measure, value=value, unit=MEASURES[measure].unit, **fields)  # type: ignore[arg-type]


def test_the_json_keeps_its_names_and_has_what_correction_did(kiosk: Kiosk, tmp_path: Path) -> None:
    (line,) = kiosk("analyze", intervals(tmp_path / "a.rr", 800), "--json").stdout.splitlines()
    answer = json.loads(line)
    assert list(answer) == [
        "file", "kind", "rate", "duration", "assumed", "source", "beats", "corrected", "removed", "ectopic", "events",
        "readings",
    ]  # fmt: skip
    assert answer["source"] == "rr"
    assert list(answer["readings"][0]) == list(FIELDS)


def test_many_files_answer_in_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    lengths = (1000, 600, 900)
    paths = [intervals(tmp_path / f"{length}.rr", length) for length in lengths]
    paths.insert(2, tmp_path / "broken.csv")
    paths[2].write_bytes(b"\x00\x01")
    result = CliRunner().invoke(app, ["analyze", *map(str, paths), "--json", "--jobs", "2"])
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["file"] for each in answers] == [str(path) for path in paths if path.name != "broken.csv"]
    rates = [next(r["value"] for r in each["readings"] if r["measure"] == "heart_rate") for each in answers]
    assert rates == pytest.approx([60_000 / (length + 3) for length in lengths], abs=0.2)
    assert (result.exit_code, "broken.csv" in result.stderr) == (2, True)


NOTES = {
    "SOURCE.txt": "Recorded 2011, 3 subjects\n1 2 3\nsee the paper\n",
    "README.md": "# Notes\n",
    "info.txt": "The first row is the initial time.\n\n1,2\n",
    "tags_S02.csv": "1644228196\n1644228572\n1644228844\n",
    "beats_ann.csv": "".join(f"{350 * i}\n" for i in range(1, 200)),
    "index.csv": "record,lead,minutes\n100,MLII,30.1\n103,MLII,30.1\n",
}


def test_notes_in_a_folder_are_passed_over_with_a_line(kiosk: Kiosk, tmp_path: Path) -> None:
    intervals(tmp_path / "visit" / "a.rr", 800)
    for name, text in NOTES.items():
        (tmp_path / "visit" / name).write_text(text)
    result = kiosk("analyze", tmp_path / "visit", "--json")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1
    for name in NOTES:
        assert [line for line in result.stderr.splitlines() if "passed over" in line and name in line], name
    together = kiosk("analyze", "--session", tmp_path / "visit", "--json")
    assert (together.exit_code, len(together.stdout.splitlines())) == (0, 1)


@pytest.mark.parametrize("name", [name for name in NOTES if not name.endswith(".md")])
def test_notes_that_are_named_are_bad_input(kiosk: Kiosk, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(NOTES[name])
    result = kiosk("analyze", tmp_path / name)
    assert (result.exit_code, name in result.stderr) == (2, True)


def test_a_folder_of_nothing_but_notes_is_bad_input(kiosk: Kiosk, tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text(NOTES["tags_S02.csv"])
    result = kiosk("analyze", tmp_path)
    assert (result.exit_code, "no recording there" in result.stderr) == (2, True)


def test_a_damaged_recording_in_a_folder_is_bad_input(kiosk: Kiosk, tmp_path: Path) -> None:
    intervals(tmp_path / "a.rr", 800)
    (tmp_path / "cut.edf").write_bytes(b"0       " + b" " * 100)
    result = kiosk("analyze", tmp_path, "--json")
    assert (result.exit_code, len(result.stdout.splitlines())) == (2, 1)


def test_csv_has_one_head_for_all_files(kiosk: Kiosk, tmp_path: Path) -> None:
    paths = [intervals(tmp_path / f"{i}.rr", 700 + 50 * i) for i in range(2)]
    rows = list(csv.DictReader(io.StringIO(kiosk("analyze", *paths, "--csv").stdout)))
    assert {row["file"] for row in rows} == {str(path) for path in paths}
    assert all(row["measure"] in MEASURES for row in rows)


def answer(*readings: FinalReading) -> Answer:
    json = {"file": "visit.edf", "kind": "ecg", "rate": 250.0, "duration": 75.0, "assumed": {"unit": "mV"}}
    result = Session(tuple(readings), "ecg", beats=(1.0, 2.0, 3.0), corrected=(1,), ectopic=(2.0,))
    return Answer(json, ("ecg II",), result, None)


def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *readings: FinalReading, columns: int = 80
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    Tables().show(answer(*readings))
    return capsys.readouterr().out.splitlines()


def test_the_table_fits_eighty_columns_with_every_measure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readings = [
        reading(name, measure.high, low=measure.low, high=measure.high, note="Driven by this, and by that. " * 4)
        for name, measure in MEASURES.items()
    ]
    lines = shown(monkeypatch, capsys, *readings)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert all(measure.title in text for measure in MEASURES.values())
    assert text.index("Heart\n" if "Heart\n" in text else "Heart ") < text.index("Variability: time")


def test_the_table_says_why_there_is_no_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reasons: list[Reason] = ["too_short", "too_many_corrected"]
    lines = shown(
        monkeypatch, capsys, reading("heart_rate", 61.0), *(reading("sdnn", absent=reason) for reason in reasons)
    )
    text = "\n".join(lines)
    assert "SDNN: too little signal for it" in text
    assert "SDNN: too many beats had to be corrected" in text
    assert "3 beats from ecg, 1 corrected, 1 ectopic" in text
    assert "1 min 15 s" in text
    (row,) = [line for line in lines if "Heart rate" in line]
    assert row.split()[2:] == ["61", "/min", "0.90"]


def test_readings_of_other_sources_say_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(
        monkeypatch, capsys, reading("heart_rate", 61.0), reading("heart_rate", 62.0, source="ppg", preferred=False)
    )
    assert any("from ppg" in line and "62" in line for line in lines)


def test_figures_go_to_a_file_a_folder_or_a_pattern(tmp_path: Path) -> None:
    one, same, other = Path("a/x.csv"), Path("b/x.csv.gz"), Path("b/y.hea")
    assert places(None, [one, other]) == [None, None]
    assert places(str(tmp_path / "out.svg"), [one]) == [tmp_path / "out.svg"]
    assert places(str(tmp_path / "new"), [one, same, other]) == [
        tmp_path / "new" / "a-x.png", tmp_path / "new" / "b-x.png", tmp_path / "new" / "y.png",
    ]  # fmt: skip
    assert places(str(tmp_path / "fig-{name}.html"), [other]) == [tmp_path / "fig-y.html"]
    assert places(str(tmp_path), [one]) == [tmp_path / "x.png"]
    assert len(set(places(str(tmp_path), [one, Path("a/x.edf"), Path("a/x.rr")]))) == 3


@pytest.mark.parametrize(
    ("plot", "count", "said"),
    [("out.png", 2, r"folder, or figures/\{name\}.png"), ("out.pdf", 1, ".png, .svg, .html"), ("{name}", 2, ".svg")],
)
def test_a_place_that_makes_no_sense_is_refused(plot: str, count: int, said: str) -> None:
    with pytest.raises(BadRecording, match=said):
        places(plot, [Path(f"{i}.csv") for i in range(count)])


def test_a_figure_that_cannot_be_written_is_bad_input(kiosk: Kiosk, tmp_path: Path) -> None:
    path = intervals(tmp_path / "a.rr", 800)
    (tmp_path / "taken.png").mkdir()
    (tmp_path / "taken.png" / "a.png").mkdir()
    result = kiosk("analyze", path, "--plot", tmp_path / "taken.png")
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)


def test_each_of_many_files_gets_its_figure(kiosk: Kiosk, tmp_path: Path) -> None:
    paths = [intervals(tmp_path / f"{name}.rr", 800) for name in "ab"]
    result = kiosk("analyze", *paths, "--plot", tmp_path / "figures" / "{name}.svg", "--json")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["a.svg", "b.svg"]


def test_npz_counts_become_millivolts(kiosk: Kiosk, tmp_path: Path) -> None:
    counts = (200 * np.sin(np.arange(5000) / 20)).astype(np.int16)
    np.savez(tmp_path / "a.npz", ecg_adu=counts, adu_per_mV=200, fs=250, r=np.arange(9))
    answer = json.loads(kiosk("analyze", tmp_path / "a.npz", "--json").stdout)
    assert (answer["kind"], answer["rate"], answer["duration"]) == ("ecg", 250, 20)


def test_a_voice_is_called_one_lasts_as_its_sound_and_its_units_are_not_cut_off(kiosk: Kiosk, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(8.0, seed=4).samples[: round(7.6 * 16_000)], 16_000)
    lines = kiosk("analyze", path).stdout.splitlines()
    assert lines[1].strip() == "voice; emotions by voice_net · 7.6 s"
    assert any("Range of the pitch" in line and " st " in line for line in lines)

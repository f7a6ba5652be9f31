"""The command line as a user types it."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from analytics.session import MEASURES_OF
from kiosk.__main__ import app
from kiosk.commands import doctor
from kiosk.measures import MEASURES
from sensors.drivers.simulated import Body, Person

FIELDS = [
    "measure", "value", "unit", "low", "high", "quality", "source", "scope", "method", "start", "end", "absent",
    "preferred", "note", "note_ru",
]  # fmt: skip
PERSON = Person(seed=11, heart_rate=63)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")


def kiosk(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def ecg_file(path: Path, seconds: float = 60) -> Path:
    times = np.arange(round(seconds * 250)) / 250
    np.savetxt(path, Body(PERSON).ecg(times), header="II", comments="", fmt="%.5f")
    return path


def test_the_json_has_the_fixed_shape_and_the_true_heart_rate(tmp_path: Path) -> None:
    path = ecg_file(tmp_path / "visit.csv")
    result = kiosk("analyze", path, "--rate", 250, "--json")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    answer = json.loads(line)
    assert list(answer) == [
        "file", "kind", "rate", "duration", "assumed", "source", "beats", "corrected", "removed", "ectopic", "events",
        "readings",
    ]  # fmt: skip
    assert (answer["file"], answer["kind"], answer["rate"], answer["duration"]) == (str(path), "ecg", 250, 60)
    truth = Body(PERSON).truth(0, 60)
    # the last one's complex is cut off by the end
    assert answer["beats"] == pytest.approx([beat for beat in truth.beats if beat < 59.9], abs=0.005)
    for reading in answer["readings"]:
        assert list(reading) == FIELDS
        assert reading["unit"] == MEASURES[reading["measure"]].unit
        assert (reading["value"] is None) == (reading["absent"] is not None)
    assert answer["readings"][0]["scope"] == "recording"
    (heart_rate,) = [each for each in answer["readings"] if each["measure"] == "heart_rate"]
    assert heart_rate["value"] == pytest.approx(truth.heart_rate, abs=0.5)


def test_a_folder_gives_one_result_each_and_a_session_gives_one(tmp_path: Path) -> None:
    folder = tmp_path / "visits"
    (folder / "deep").mkdir(parents=True)
    # too short for a second opinion, which would be seconds of importing
    ecg_file(folder / "one.csv", 8)
    (folder / "deep" / "two.rr").write_text("\n".join(["800"] * 40))
    (folder / "notes.pdf").write_bytes(b"%PDF-")
    result = kiosk("analyze", folder, "--rate", 250, "--json")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(Path(each["file"]).name, each["kind"]) for each in answers} == {("one.csv", "ecg"), ("two.rr", "rr")}
    assert "notes.pdf" in result.stderr
    result = kiosk("analyze", "--session", folder, "--rate", 250, "--json")
    (line,) = result.stdout.splitlines()
    answer = json.loads(line)
    assert answer["kind"] == "session"
    assert {each["source"] for each in answer["readings"]} >= {"ecg", "rr"}
    assert sum(each["preferred"] for each in answer["readings"] if each["measure"] == "heart_rate") == 1


def test_intervals_are_taken_as_they_are_without_correction(tmp_path: Path) -> None:
    path = tmp_path / "rr.txt"
    # one missed beat among sixty
    path.write_text(" ".join(["1000"] * 30 + ["2000"] + ["1000"] * 29))

    def rate(*options: str) -> float:
        answer = json.loads(kiosk("analyze", path, "--json", *options).stdout)
        return float(next(each["value"] for each in answer["readings"] if each["measure"] == "heart_rate"))

    assert rate() == pytest.approx(60)
    assert rate("--no-correction") == pytest.approx(60 * 60 / 61)


def test_csv_has_one_row_a_reading(tmp_path: Path) -> None:
    result = kiosk("analyze", ecg_file(tmp_path / "visit.csv", 20), "--rate", 250, "--csv")
    head, *rows = result.stdout.splitlines()
    assert head == ",".join(["file", *FIELDS])
    assert [row.split(",")[1] for row in rows] == list(MEASURES_OF["ecg"])


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (b"", (), 2, "empty"),
        (b"\x00\xff\xfe garbage \x80", (), 2, "bad.csv"),
        (b"II\n1\n2\n3\n", (), 2, "--rate"),
        (b"II\n" + b"0\n" * 5000, ("--rate", "250", "--kind", "ecg"), 1, ""),
        (b"II\n" + b"0.1\n" * 50, ("--rate", "-3"), 2, "rate"),
        (b"II\n" + b"0.1\n" * 50, ("--rate", "250", "--kind", "nonsense"), 2, "nonsense"),
        (b"II\n" + b"0.1\n" * 50, ("--rate", "250", "--channel", "V9"), 2, "V9"),
    ],
)
def test_bad_input_gets_a_sentence_and_its_exit_code(
    tmp_path: Path, content: bytes, options: tuple[str, ...], code: int, said: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    result = kiosk("analyze", path, "--json", *options)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_sound_file_without_sound_says_so(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(b"\x00" * 100)
    result = kiosk("analyze", path)
    assert result.exit_code == 2
    assert "is no sound that can be read" in result.stderr


def test_noise_is_absent_with_a_reason_and_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "noise.csv"
    np.savetxt(path, np.random.default_rng(3).standard_normal(250 * 30), header="II", comments="")
    result = kiosk("analyze", path, "--rate", 250, "--kind", "ecg", "--json")
    assert result.exit_code == 1
    assert {each["value"] for each in json.loads(result.stdout)["readings"]} == {None}


def test_doctor_explains_in_words_and_hides_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    monkeypatch.setenv("KIOSK_BROKER_PASSWORD", "hush-hush")
    monkeypatch.setenv("KIOSK_BROKER_PORT", "9")
    result = kiosk("doctor")
    assert result.exit_code == 0, result.output
    assert "hush-hush" not in result.output
    for words in ("Python", "mosquitto", "does not answer", "kiosk migrate makes it", "KIOSK_BROKER_PASSWORD"):
        assert words in result.output
    monkeypatch.setenv("KIOSK_DATABASE_URL", "postgresql://nobody:hush-9-hush@127.0.0.1:9/none")
    result = kiosk("doctor")
    assert result.exit_code == 1
    assert "hush-9-hush" not in result.output
    assert "Traceback" not in result.output


def test_doctor_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    result = kiosk("doctor")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "data").exists()
    for words in ("keys.sqlite does not exist yet", "master.key does not exist yet", "on this machine alone"):
        assert words in result.output


def test_doctor_looks_at_keys_users_and_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    assert kiosk("migrate").exit_code == 0
    result = kiosk("doctor")
    assert result.exit_code == 0, result.output
    assert "nobody can log in yet: kiosk users add" in result.output
    added = kiosk("users", "add", "anne", "--role", "administrator", "--everywhere", "--generate")
    assert added.exit_code == 0, added.output
    result = kiosk("doctor")
    for words in ("1 may log in", "1 rows; kiosk audit verify", "keys.sqlite, readable by its owner alone"):
        assert words in result.output
    (tmp_path / "data" / "master.key").chmod(0o644)
    result = kiosk("doctor")
    assert result.exit_code == 1
    assert "can be read by others: chmod 600" in result.output


def test_a_bad_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_HTTP_PORT", "not-a-port")
    result = kiosk("doctor")
    assert result.exit_code == 2
    assert "KIOSK_HTTP_PORT" in result.output
    assert "not-a-port" not in result.output


def test_migrate_makes_the_database_and_does_no_harm_twice(tmp_path: Path) -> None:
    for _ in range(2):
        result = kiosk("migrate")
        assert result.exit_code == 0, result.output
    assert (tmp_path / "data" / "kiosk.sqlite").exists()


def test_models_are_listed_and_a_wrong_file_is_refused(tmp_path: Path) -> None:
    result = kiosk("models", "list")
    assert result.exit_code == 0
    assert "missing" in result.stdout
    wrong = tmp_path / "network.onnx"
    wrong.write_bytes(b"no network")
    result = kiosk("models", "add", wrong)
    assert result.exit_code == 2
    assert "network.onnx" in result.stderr
    assert kiosk("models", "verify").exit_code == 0


def test_version_and_asyncapi_print_what_scripts_may_parse() -> None:
    assert kiosk("version").stdout.startswith("health-kiosk ")
    document = json.loads(kiosk("asyncapi").stdout)
    assert document["asyncapi"].startswith("3.")
    assert document["channels"]


def test_bench_lists_what_there_is() -> None:
    result = kiosk("bench")
    assert result.exit_code == 0
    assert "pipeline" in result.output
    assert "crash" in result.output
    assert kiosk("bench", "nonsense").exit_code == 2

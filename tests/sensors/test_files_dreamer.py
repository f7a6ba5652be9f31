"""DREAMER's layout is read as it is published, and anything else is refused with what is wrong with it.

The files here are made by the tests, in exactly that layout, of simulated people.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from kiosk.errors import BadRecording
from sensors.files import dreamer

Floats = NDArray[np.float64]
Cells = NDArray[np.object_]
FILMS = 3


def cells(parts: list[object], *, row: bool = False) -> Cells:
    """A MATLAB cell array: a column, or a row."""
    held = np.empty((1, len(parts)) if row else (len(parts), 1), dtype=object)
    for place, part in enumerate(parts):
        held[(0, place) if row else (place, 0)] = part
    return held


def person(number: int, *, films: int = FILMS) -> dict[str, object]:
    rng = np.random.default_rng(number)

    def parts(rate: int, channels: int, level: float, seconds: int) -> Cells:
        return cells([level + rng.standard_normal(((seconds + film) * rate, channels)) for film in range(films)])

    return {
        "Age": "22",
        "Gender": "female",
        "EEG": {"baseline": parts(128, 14, 4200.0, 2), "stimuli": parts(128, 14, 4200.0, 3)},
        "ECG": {"baseline": parts(256, 2, 2000.0, 2), "stimuli": parts(256, 2, 2000.0, 3)},
        "ScoreValence": np.arange(1.0, films + 1)[:, None],
        "ScoreArousal": np.full((films, 1), float(number)),
        "ScoreDominance": np.full((films, 1), 5, dtype=np.uint8),
    }


def whole(people: list[dict[str, object]]) -> dict[str, object]:
    return {
        "Data": cells(list(people), row=True),
        "EEG_SamplingRate": 128.0,
        "ECG_SamplingRate": 256.0,
        "EEG_Electrodes": cells(list(dreamer.ELECTRODES), row=True),
        "noOfSubjects": float(len(people)),
        "noOfVideoSequences": float(FILMS),
        "Disclaimer": "made by a test",
    }


def written(folder: Path, top: object, *, packed: bool = True, name: str = "DREAMER") -> Path:
    path = folder / "DREAMER.mat"
    savemat(path, {name: top}, do_compression=packed)
    return path


def read(path: Path) -> list[dreamer.Clip]:
    return list(dreamer.clips(path))


def test_everybody_and_every_film_is_read_with_its_ratings(tmp_path: Path) -> None:
    people = [person(1), person(2)]
    found = read(written(tmp_path, whole(people)))
    assert [(clip.person, clip.number) for clip in found] == [(p, f) for p in (1, 2) for f in (1, 2, 3)]
    assert [(clip.valence, clip.arousal, clip.dominance) for clip in found[:4]] == [
        (1, 1, 5),
        (2, 1, 5),
        (3, 1, 5),
        (1, 2, 5),
    ]
    eeg, ecg = people[1]["EEG"], people[1]["ECG"]
    assert isinstance(eeg, dict)
    assert isinstance(ecg, dict)
    last = found[-1]
    assert (last.film.eeg.rate, last.film.ecg.rate) == (128.0, 256.0)
    assert last.film.eeg.channels == dreamer.ELECTRODES
    assert np.array_equal(last.film.eeg.samples, eeg["stimuli"][2, 0].astype(np.float32))
    assert np.array_equal(last.baseline.ecg.samples, ecg["baseline"][2, 0].astype(np.float32))
    assert last.film.ecg.times[256] == 1_000_000_000


def test_one_person_and_one_film_are_enough(tmp_path: Path) -> None:
    assert len(read(written(tmp_path, whole([person(1, films=1)])))) == 1


def test_it_is_handed_on_film_by_film(tmp_path: Path) -> None:
    assert next(dreamer.clips(written(tmp_path, whole([person(1)])))).number == 1


def spoil(change: Callable[[dict[str, object]], None]) -> dict[str, object]:
    top = whole([person(1), person(2)])
    second = top["Data"][0, 1]  # type: ignore[index]
    change(second)
    return top


def _set(key: str, value: object, *, inside: str = "") -> Callable[[dict[str, object]], None]:
    def change(held: dict[str, object]) -> None:
        target = held[inside] if inside else held
        assert isinstance(target, dict)
        target[key] = value

    return change


def _without(key: str) -> Callable[[dict[str, object]], None]:
    def change(held: dict[str, object]) -> None:
        del held[key]

    return change


WRONG = {
    "no ECG": (_without("ECG"), r"Data\{2\} has no ECG"),
    "no ratings": (_without("ScoreArousal"), "no ScoreArousal"),
    "rating of six": (_set("ScoreValence", np.full((FILMS, 1), 6.0)), "not within 1 and 5"),
    "rating of NaN": (_set("ScoreValence", np.full((FILMS, 1), np.nan)), "not within 1 and 5"),
    "ratings as text": (_set("ScoreValence", "high"), "no column of numbers"),
    "a rating too few": (_set("ScoreValence", np.ones((FILMS - 1, 1))), "must be as many"),
    "three leads": (_set("stimuli", cells([np.zeros((512, 3))] * FILMS), inside="ECG"), "not n x 2"),
    "electrodes in rows": (_set("stimuli", cells([np.zeros((14, 512))] * FILMS), inside="EEG"), "not n x 14"),
    "an empty film": (_set("stimuli", cells([np.zeros((0, 14))] * FILMS), inside="EEG"), "not n x 14"),
    "texts for samples": (_set("stimuli", cells(["x"] * FILMS), inside="EEG"), "no array of samples"),
    "an array for cells": (_set("stimuli", np.zeros((512, 14)), inside="EEG"), "no list"),
    "an hour and more": (
        _set("stimuli", cells([np.zeros((256 * 3601, 2), dtype=np.uint8)] * FILMS), inside="ECG"),
        "longer than 3600 s",
    ),
    "a number for EEG": (_set("EEG", 5.0), "no struct"),
}


@pytest.mark.parametrize("case", WRONG)
def test_another_layout_is_refused_with_what_is_wrong(case: str, tmp_path: Path) -> None:
    change, match = WRONG[case]
    path = written(tmp_path, spoil(change))
    with pytest.raises(BadRecording, match=match) as error:
        read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("EEG_SamplingRate", 256.0, "not 128 Hz"),
        ("ECG_SamplingRate", "fast", "not 256 Hz"),
        ("EEG_Electrodes", cells(list(dreamer.ELECTRODES[::-1]), row=True), "electrodes"),
        ("Data", np.zeros((1, 2)), "no list"),
    ],
)
def test_stated_rates_and_electrodes_are_held_to(key: str, value: object, match: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=match):
        read(written(tmp_path, {**whole([person(1)]), key: value}))


def test_another_variable_or_no_struct_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="no variable DREAMER"):
        read(written(tmp_path, whole([person(1)]), name="DATA"))
    with pytest.raises(BadRecording, match="no struct"):
        read(written(tmp_path, np.ones((3, 3))))
    with pytest.raises(BadRecording, match="no Data"):
        read(written(tmp_path, {"EEG_SamplingRate": 128.0}))


def test_files_that_are_no_mat_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "DREAMER.mat"
    for content, match in (
        (b"", "empty"),
        (b"hello" * 100, "no MATLAB file"),
        (b"MATLAB 7.3 MAT-file" + bytes(200), "save it with -v7"),
        (bytes(124) + b"\x00\x01IM", "nothing after the header"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadRecording, match=match):
            read(path)
    with pytest.raises(BadRecording, match="no such file"):
        read(tmp_path / "absent.mat")


def test_every_truncation_and_every_flipped_byte_is_refused_and_nothing_crashes(tmp_path: Path) -> None:
    content = written(tmp_path, whole([person(1, films=1)])).read_bytes()
    path = tmp_path / "damaged.mat"
    rng = np.random.default_rng(0)
    for length in [128, 130, 136, 140, len(content) - 1, *rng.integers(137, len(content), 10).tolist()]:
        path.write_bytes(content[:length])
        with pytest.raises(BadRecording):
            read(path)
    for place in [130, 134, *rng.integers(140, len(content), 10).tolist()]:
        flipped = bytearray(content)
        flipped[place] ^= 0x41
        path.write_bytes(flipped)
        with pytest.raises(BadRecording):
            read(path)


def test_what_has_no_checksum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="not compressed"):
        read(written(tmp_path, whole([person(1)]), packed=False))


def test_what_is_too_big_is_refused_before_it_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, whole([person(1)]))
    monkeypatch.setattr(dreamer, "MOST_BYTES", 1000)
    with pytest.raises(BadRecording, match="at most 1000"):
        read(path)
    monkeypatch.setattr(dreamer, "MOST_BYTES", 1 << 30)
    monkeypatch.setattr(dreamer, "MOST_UNPACKED", 100_000)
    with pytest.raises(BadRecording, match="when unpacked"):
        read(path)

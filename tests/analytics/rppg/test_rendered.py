"""The benchmark's rendered films: what is lost is lost, what is left has its own times, and has the pulse."""

from dataclasses import replace

import numpy as np
import pytest

from sensors.drivers.simulated import Person
from sensors.drivers.simulated.skin import TONES
from tests.benchmarks import _rppg_rendered as rendered
from tests.benchmarks._rppg_ours import final
from tests.benchmarks._rppg_rendered import AMPLITUDES, BLOODLESS, CAMERA, LOST, Film
from tests.benchmarks._rppg_scores import Answer

SECONDS = 10


def test_a_rendered_faces_pulse_is_found_with_a_third_of_its_pictures_lost() -> None:
    person = Person(seed=8, heart_rate=84.0, melanin=TONES[1].melanin, rsa_ms=15.0, mayer_ms=12.0, vlf_ms=10.0)
    film = Film("", person, CAMERA, (0.0, 0.3), seconds=SECONDS, width=320, height=240)
    every, some = rendered.watched(film)
    counts = [len(known.of("rgb")[0].times) for known in (every, some)]
    assert counts[0] == 30 * SECONDS
    assert counts[1] == pytest.approx(0.7 * counts[0], rel=0.15)
    steps = np.diff(some.of("rgb")[0].seconds)
    assert (steps > 0).all()
    assert steps.max() > 1.8 * np.median(steps)
    for known in (every, some):
        assert final(known)["heart_rate"] == pytest.approx(84.0, abs=2.0)


def test_the_films_are_of_every_tone_with_and_without_blood() -> None:
    films = list(rendered._films())
    living = [film for film in films if film.living]
    assert len(living) == len(AMPLITUDES) * len(TONES)
    assert all(film.lost == LOST for film in living)
    assert len(films) - len(living) == len(BLOODLESS) * len(TONES)
    assert len({film.person.seed for film in films}) == len(films)
    for film in films:
        assert film.living == (film.person.rgb_amplitude > 0.0)
    photographs = [film for film in films if film.scene.visitor == "photo"]
    assert {film.person.melanin for film in photographs} == {tone.melanin for tone in TONES}


def test_the_tables_tell_what_was_told_and_what_was_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    right = Answer("ours", "0.4 %|tone I|0 %", "heart_rate", 70.0, 70.5, "a")
    rendered._report([right, replace(right, case="0.4 %|tone I|30 %", told=None, what="b")])
    rendered._report_nobody([("a photograph", [replace(right, told=None)]), ("a photograph", [right])])
    shown = capsys.readouterr().out
    assert "0.4 %, tone I" in shown
    assert "1 (50 %)" in shown
    assert "1/2 = 50.00 %" in shown
    assert "70.5" in shown

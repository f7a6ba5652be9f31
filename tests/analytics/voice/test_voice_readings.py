"""What a voice's rows become: emotions pooled, prosody added up, and a reason wherever there is nothing to say."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import fusion
from analytics.registry import LIVE_MEASURES, OWN_TIMES, factory
from analytics.session import MEASURES_OF, FinalReading, session
from analytics.voice import FEELING, PROSODY, LiveEmotion, LiveVoice, answers, devices
from analytics.voice.words import PLACES, SURE, axes, heard, pooled
from kiosk.measures import MEASURES, VOICE_EMOTIONS
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context, Recording, Track
from kiosk.signals import VOICE_CHANNELS

KNOWN = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "boredom")
CHANNELS = tuple(f"voice_net.{name}" for name in KNOWN)


def scores(rows: list[list[float]], *, first: float = 4.0, step: float = 2.0, device: str = "mic") -> Track:
    times = (np.arange(len(rows)) * step + first) * SECOND
    return Track("voice_scores", device, CHANNELS, None, times.astype(np.int64), np.array(rows, np.float32))


def functionals(count: int, *, device: str = "mic", **values: float | list[float]) -> Track:
    usual: dict[str, float | list[float]] = {
        "level": -26.0, "noise": -60.0, "snr": 30.0, "speech": 0.8, "voiced": 0.5, "syllables": 4.0, "pauses": 0.0,
        "f0_p20": 110.0, "f0_p50": 120.0, "f0_p80": 140.0, "jitter": 0.8, "shimmer": 4.0, "hnr": 15.0, "emphasis": 6.0,
    }  # fmt: skip
    rows = np.full((count, len(VOICE_CHANNELS)), np.nan, np.float32)
    for name, value in (usual | values).items():
        rows[:, VOICE_CHANNELS.index(name)] = value
    times = (np.arange(count) + 1) * SECOND
    return Track("voice_functionals", device, VOICE_CHANNELS, 1.0, times.astype(np.int64), rows)


def likely(name: str, share: float = 0.7) -> list[float]:
    rest = (1.0 - share) / (len(KNOWN) - 1)
    return [share if each == name else rest for each in KNOWN]


def found(*tracks: Track) -> dict[str, FinalReading]:
    result = session(Recording(tracks), Context())
    return {each.measure: each for each in result.readings if each.preferred}


def test_rows_that_agree_keep_their_probability() -> None:
    readings = found(scores([likely("anger")] * 3), functionals(8))
    assert readings["voice_anger"].value == pytest.approx(0.7, abs=1e-6)
    assert readings["voice_anger"].source == "voice_scores"
    assert "voice_net" in readings["voice_anger"].method
    assert readings["voice_anger"].low is None


def test_probabilities_of_known_emotions_sum_to_one_and_the_others_are_absent() -> None:
    readings = found(scores([likely("fear", 0.4), likely("sadness", 0.5)]), functionals(6))
    values = [readings[f"voice_{name}"].value for name in KNOWN]
    assert sum(value for value in values if value is not None) == pytest.approx(1.0)
    for name in set(VOICE_EMOTIONS) - set(KNOWN):
        assert (readings[f"voice_{name}"].value, readings[f"voice_{name}"].absent) == (None, "no_trained_model")


def test_a_row_counts_by_the_speech_behind_it() -> None:
    speech = [1.0] * 4 + [0.05] * 4
    readings = found(scores([likely("anger"), likely("sadness")], step=4.0), functionals(8, speech=speech))
    anger, sadness = (readings[f"voice_{name}"].value for name in ("anger", "sadness"))
    assert anger is not None
    assert sadness is not None
    assert anger > 3 * sadness


def test_one_certain_row_does_not_overrule_many() -> None:
    sure = [1.0 if name == "fear" else 0.0 for name in KNOWN]
    readings = found(scores([sure, *[likely("neutral", 0.6)] * 9]), functionals(24))
    neutral, fear = readings["voice_neutral"].value, readings["voice_fear"].value
    assert neutral is not None
    assert fear is not None
    assert neutral > fear


def test_valence_and_arousal_are_where_people_put_the_words() -> None:
    for name in KNOWN:
        sure = np.array([float(each == name) for each in KNOWN])
        assert axes(KNOWN, sure) == pytest.approx(PLACES[name])
    readings = found(scores([likely("boredom", 0.9)]), functionals(4))
    arousal, valence = readings["voice_arousal"], readings["voice_valence"]
    assert arousal.value is not None
    assert arousal.value < -0.4
    assert valence.value is not None
    assert valence.value < -0.4
    assert arousal.method.endswith("+circumplex")


def test_nobody_speaks() -> None:
    readings = found(functionals(5, speech=0.0, voiced=0.0, syllables=0.0))
    assert {readings[measure].absent for measure in FEELING} == {"no_speech"}
    assert {readings[measure].absent for measure in PROSODY[1:]} == {"no_speech"}
    assert readings["speech_share"].value == 0.0


def test_somebody_speaks_too_quietly() -> None:
    readings = found(scores([likely("anger")]), functionals(5, level=-72.0))
    assert {readings[measure].absent for measure in (*FEELING, *PROSODY[1:])} == {"too_quiet", "no_trained_model"}
    assert readings["voice_anger"].absent == "too_quiet"
    assert readings["voice_surprise"].absent == "no_trained_model"


def test_without_a_network_there_is_no_emotion_and_prosody_all_the_same() -> None:
    readings = found(functionals(5))
    assert {readings[measure].absent for measure in FEELING} == {"no_trained_model"}
    assert readings["voice_pitch"].value == pytest.approx(120.0, abs=1.0)


def test_scores_without_functionals_are_enough() -> None:
    readings = found(scores([likely("happiness")]))
    assert readings["voice_happiness"].value == pytest.approx(0.7, abs=1e-6)
    assert "voice_pitch" not in readings


def test_rows_without_an_answer_are_left_out() -> None:
    nothing = [float("nan")] * len(KNOWN)
    readings = found(scores([nothing, likely("anger"), nothing]), functionals(8))
    assert readings["voice_anger"].value == pytest.approx(0.7, abs=1e-6)
    assert found(scores([nothing]))["voice_anger"].absent == "no_speech"


def test_quality_falls_with_noise_and_little_speech() -> None:
    def quality(count: int, snr: float) -> float:
        told = found(scores([likely("anger")]), functionals(count, snr=snr))["voice_anger"].quality
        assert told is not None
        return told

    assert quality(20, 30.0) > quality(20, 8.0) > quality(20, -3.0)
    assert quality(20, 30.0) > quality(3, 30.0)


def test_quality_falls_with_clipping_and_what_hangs_on_it_is_not_told() -> None:
    def clipped(share: float) -> dict[str, FinalReading]:
        return found(scores([likely("anger")] * 3), functionals(8, clipped=share))

    fine, some, much = (clipped(share) for share in (0.0005, 0.02, 0.3))
    qualities = [each["voice_anger"].quality for each in (fine, some, much)]
    assert qualities == sorted(qualities, key=lambda quality: -(quality or 0.0))
    assert qualities[0] == found(scores([likely("anger")] * 3), functionals(8))["voice_anger"].quality
    assert qualities[-1] == 0.0
    assert fine["voice_shimmer"].value is not None
    for measure in ("voice_jitter", "voice_shimmer", "voice_hnr"):
        assert some[measure].absent == "saturated"
    assert some["voice_pitch"].value is not None


def test_pace_pauses_and_pitch_add_up() -> None:
    readings = found(
        functionals(10, pauses=[0, 1, 0, 2, 0, 0, 0, 0, 0, 0], pause=[np.nan, 0.4, np.nan, 1.4, *[np.nan] * 6])
    )
    assert readings["speech_share"].value == pytest.approx(80.0, abs=1e-4)
    assert readings["speech_rate"].value == pytest.approx(40.0 / 8.0, abs=1e-4)
    assert readings["speech_pause"].value == pytest.approx(1.8 / 3)
    assert readings["voice_pitch_range"].value == pytest.approx(12 * np.log2(140 / 110), abs=0.1)
    for measure, value in (("voice_jitter", 0.8), ("voice_shimmer", 4.0), ("voice_hnr", 15.0), ("vocal_effort", 6.0)):
        assert readings[measure].value == pytest.approx(value, abs=1e-4)


def test_a_second_counts_by_its_voice() -> None:
    readings = found(functionals(2, voiced=[0.9, 0.1], jitter=[1.0, 3.0]))
    assert readings["voice_jitter"].value == pytest.approx(0.9 * 1.0 + 0.1 * 3.0, abs=1e-4)


def test_who_never_paused_has_no_pause() -> None:
    readings = found(functionals(6))
    assert (readings["speech_pause"].value, readings["speech_pause"].absent) == (None, "not_present")


def test_in_noise_voice_quality_is_not_told_but_pitch_is() -> None:
    readings = found(functionals(6, snr=2.0))
    for measure in ("voice_jitter", "voice_shimmer", "voice_hnr"):
        assert readings[measure].absent == "noisy"
    assert readings["voice_pitch"].value is not None


def test_too_little_speech_has_no_pace_and_no_pitch() -> None:
    readings = found(functionals(1, speech=0.3, voiced=0.2))
    for measure in PROSODY[1:]:
        assert readings[measure].absent == "too_short"


def test_each_microphone_answers_for_itself() -> None:
    tracks = (scores([likely("anger")], device="desk"), scores([likely("boredom")], device="wall"))
    assert devices(Recording(tracks)) == ("desk", "wall")
    told = [
        reading.source for reading in session(Recording(tracks), Context()).readings if reading.measure == "voice_anger"
    ]
    assert sorted(told) == ["voice_scores.desk", "voice_scores.wall"]
    assert answers(Recording(tracks), "ceiling") == ()


def test_what_is_usual_for_a_person_is_said_and_not_taken_away() -> None:
    recording = Recording((scores([likely("sadness")]), functionals(4)))
    usual = Context(baselines=(Baseline("voice_sadness", 0.6, 0.1, 4), Baseline("voice_anger", 0.1, 0.1, 2)))
    ours, plain = (
        {each.measure: each for each in session(recording, context).readings} for context in (usual, Context())
    )
    assert ours["voice_sadness"].value == plain["voice_sadness"].value
    assert "usual for this person: 0.60 (sd 0.10, 4 sessions)" in ours["voice_sadness"].note
    assert ours["voice_anger"].note == plain["voice_anger"].note


@pytest.mark.parametrize("rows", [0, 1])
def test_broken_rows_give_reasons(rows: int) -> None:
    broken = np.full((rows, len(VOICE_CHANNELS)), np.nan, np.float32)
    track = Track("voice_functionals", "mic", VOICE_CHANNELS, None, np.arange(rows, dtype=np.int64), broken)
    readings = found(track)
    assert all(reading.value is None and reading.absent for reading in readings.values())


def test_the_pool_knows_what_only_one_network_knows() -> None:
    told = heard(("a.calm", "a.anger", "b.anger", "b.nonsense"), np.array([[0.5, 0.5, 0.9, 0.1]]))
    assert told is not None
    assert told.emotions == ("anger", "calm")
    assert pooled(told, np.ones(1)).sum() == pytest.approx(1.0)
    assert heard(("a.nonsense",), np.ones((1, 1))) is None
    assert np.exp(heard(("a.anger",), np.zeros((1, 1))).logs)[0, 0] == pytest.approx(SURE)  # type: ignore[union-attr]


def test_every_reading_is_in_the_catalogue_and_promised() -> None:
    # what is told of a voice alone is missed by name where the voice never came
    assert MEASURES_OF["voice_scores"] == (*FEELING, *fusion.EXPRESSED)
    assert MEASURES_OF["voice_functionals"] == PROSODY
    assert {*FEELING, *PROSODY} <= set(MEASURES)
    assert set(LIVE_MEASURES["voice_scores"]) == set(FEELING)
    assert LIVE_MEASURES["voice_functionals"] == PROSODY
    assert {"voice_scores", "voice_functionals"} <= OWN_TIMES


def test_live_says_what_the_last_seconds_say() -> None:
    made = factory("voice_scores")(None, CHANNELS)
    assert isinstance(made, LiveEmotion)
    track = scores([likely("anger")] * 5 + [likely("sadness")] * 6)
    findings = made.feed(track.times, track.samples)
    last = {each.measure: each.value for each in findings[-(len(KNOWN) + 2) :]}
    assert last["voice_sadness"] == pytest.approx(0.7, abs=1e-6)
    assert "voice_surprise" not in last
    made.reset()
    silent = made.feed(track.times[:1], np.full((1, len(KNOWN)), np.nan, np.float32))
    assert {each.absent for each in silent} == {"no_speech"}


@given(st.lists(st.integers(1, 11), max_size=6), st.booleans())
def test_streaming_equals_batch(cuts: list[int], feeling: bool) -> None:
    rng = np.random.default_rng(5)
    if feeling:
        track = scores(rng.dirichlet(np.ones(len(KNOWN)), 12).tolist())
    else:
        track = functionals(12, speech=rng.uniform(0, 1, 12).tolist(), f0_p50=rng.uniform(112, 139, 12).tolist())

    def make() -> LiveEmotion | LiveVoice:
        return LiveEmotion(None, CHANNELS) if feeling else LiveVoice(None, VOICE_CHANNELS)

    whole, streamed, pieces = make().feed(track.times, track.samples), [], make()
    edges = sorted({0, *cuts, len(track.times)})
    for begin, end in itertools.pairwise(edges):
        streamed += pieces.feed(track.times[begin:end], track.samples[begin:end])
    assert streamed == whole
    assert len(whole) == 12 * ((len(KNOWN) + 2) if feeling else len(PROSODY))

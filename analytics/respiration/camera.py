"""Breath as a camera sees it: the chest rises and the head moves with it, and the skin's pulse runs with it.

A body sways without breath, and all that is seen sways alike: of the chest only counts what does not go up and down
with the head. It is believed where it is certain, or where a movement of the head tells the same and either is certain;
a head without a chest where two of its movements are. That a webcam sees the chest move was shown by Bartula et al.
2013 (doi:10.1109/EMBC.2013.6610090) and Massaroni et al. 2018 (doi:10.1155/2018/4567213), that the skin's pulse carries
breath by van Gastel et al. 2016 (doi:10.1364/BOE.7.004941); it is read as that of a PPG (Karlen et al. 2013,
doi:10.1109/TBME.2013.2246160).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.analyzer import Finding
from analytics.beats import Beats, Floats
from analytics.filters import filled
from analytics.respiration.answer import Answer, Span, final, stretches
from analytics.respiration.belt import GRID, LOST, averaged
from analytics.respiration.ppg import pulses
from analytics.respiration.rhythm import FEW, Rhythm, levelled, rhythm
from analytics.respiration.voices import (
    FAINT,
    MAJORITY,
    SAME,
    TACHYPNOEA,
    fastest,
    heard,
    spans,
    timing,
    vote,
)
from kiosk.measures import Reason
from kiosk.recording import Track

METHOD = "camera-effort-vote-1"
SKIN_METHOD = "camera-pulse-breath-vote-1"
Mover = Literal["chest", "y", "pitch", "size"]
MOVERS: tuple[Mover, ...] = ("chest", "y", "pitch", "size")
"""Channels of `face_motion` that go with breath: the chest itself, and a head that it lifts, tips and brings nearer."""
SEEN = ("motion", "faces")
"""Channels that say why nothing can be seen."""
MOVING = 0.25
"""Face heights per second that a tenth of a window exceeds where it is the visitor's movement that hides breath:
landmarks that tremble have 0.08 at 0.6 m and 0.19 at 1.5 m (simulated)."""
ALONE = 0.55
"""Strength, and more with few breaths, from which a chest needs no witness: taking sway out of noise leaves waves."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What one channel says of a window."""

    mover: Mover
    rhythm: Rhythm


def from_motion(track: Track) -> Finding:
    """Respiration rate from how chest and head move."""
    columns = [track.channels.index(name) for name in (*MOVERS, *SEEN)]
    seconds, samples = track.seconds, track.samples[:, columns].astype(np.float64)
    parts = [
        (float(seconds[begin]), gridded(seconds[begin:end], samples[begin:end]))
        for begin, end in stretches(track.times)
    ]

    def ask(span: Span) -> Answer | Reason:
        start, rows = next(part for part in reversed(parts) if part[0] <= span[0])
        begin = round((span[0] - start) * GRID)
        return moved(rows[begin : begin + round((span[1] - span[0]) * GRID)])

    return final(ask, [(start, start + len(rows) / GRID) for start, rows in parts], METHOD)


def from_skin(pulse: Track, beats: Beats) -> Finding:
    """Respiration rate from frequency and amplitude of the pulse that was found in the skin's colours.

    Their level follows the light on a head that moves, and so do heights, a little: without the intervals they say
    nothing.
    """
    all_series = [timing(beats), pulses(pulse, 0, beats)]

    def ask(span: Span) -> Answer | Reason:
        voices = heard(all_series, span)
        answer = vote(voices, fastest(beats.times, span))
        if not isinstance(answer, Answer):
            return answer
        room = max(SAME[0], SAME[1] * answer.rate)
        rates = [voice.rhythm.rate for voice in voices if voice.family == "timing"]
        return answer if any(abs(rate - answer.rate) <= room for rate in rates) else "noisy"

    return final(ask, spans(pulse), SKIN_METHOD)


def gridded(seconds: Floats, samples: Floats) -> Floats:
    """Rows of tenths of a second from the first sample on; NaN where there is none."""
    return np.column_stack([averaged(seconds, column, GRID) for column in samples.T])


def unseen(rows: Floats) -> Reason | None:
    """Why a window of MOVERS and SEEN on the grid shows nobody."""
    faces = rows[:, -1]
    if not len(rows) or np.mean(np.isnan(faces)) > LOST:
        return "not_delivered"
    # a chest may be out of view while the face is not
    return "no_face" if np.mean(np.isnan(rows[:, MOVERS.index("y")])) > LOST or np.mean(faces < 0.5) > LOST else None


def moved(rows: Floats) -> Answer | Reason:
    """What a window says."""
    nobody = unseen(rows)
    if nobody is not None:
        return nobody
    motion = rows[:, -2]
    waves: dict[Mover, Floats] = {
        name: filled(column) for name, column in zip(MOVERS, rows.T, strict=False) if np.mean(np.isnan(column)) <= LOST
    }
    if "chest" in waves:
        # who sways, sways with the shoulders
        waves["chest"] = without(waves["chest"], waves["y"])
    found = [Movement(name, told) for name, wave in waves.items() if (told := rhythm(wave, GRID)) is not None]
    answer = agreed([each for each in found if each.rhythm.strength >= FAINT + FEW / each.rhythm.breaths])
    if answer is not None:
        return answer
    known = motion[np.isfinite(motion)]
    return "moving" if len(known) and float(np.percentile(known, 90.0)) > MOVING else "noisy"


def without(wave: Floats, other: Floats) -> Floats:
    """A wave less what goes up and down with another, by least squares."""
    wave, other = levelled(wave), levelled(other)
    return wave - other * float(wave @ other) / max(float(other @ other), 1e-12)


def agreed(movements: Sequence[Movement]) -> Answer | None:
    """The rate on which they agree; its quality is how far they do, times how strong they are.

    Of 29,700 generated windows without breath - noise of all colours, steps, clicks, movements, each channel by itself
    or all alike - ten had an answer: of 20 s 0.06 %, of 32 s 0.04 %, of 64 s none; of 3,882 of simulated bodies that
    sway, talk and turn two.
    """
    if not movements:
        return None
    best = max((_near(movements, each.rhythm.rate) for each in movements), key=_weight)
    share = _weight(best) / _weight(movements)
    certain = [each for each in best if each.rhythm.certain]
    chest = [each.rhythm for each in best if each.mover == "chest"]
    rate = sum(each.rhythm.rate * each.rhythm.strength for each in best) / _weight(best)
    # a heart moves the head as well, some slower than sixty times a minute
    if len(best) > 1:
        believed = len(certain) > 1 or bool(certain and chest)
    else:
        believed = any(each.strength >= ALONE + FEW / each.breaths for each in chest)
    if share < MAJORITY or rate > TACHYPNOEA or not believed:
        return None
    return Answer(rate, share * _weight(best) / len(best))


def _near(movements: Sequence[Movement], rate: float) -> list[Movement]:
    room = max(SAME[0], SAME[1] * rate)
    return [each for each in movements if abs(each.rhythm.rate - rate) <= room]


def _weight(movements: Sequence[Movement]) -> float:
    return sum(each.rhythm.strength for each in movements)

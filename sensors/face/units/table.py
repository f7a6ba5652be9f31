"""Which distance shows which action unit, and how far it goes at most.

| unit | what the coding manual describes (Ekman & Friesen 1978) | distance, millimetres of the strongest |
|---|---|---|
| 1 inner brow raiser | inner ends of the brows rise | brow_inner +8 |
| 2 outer brow raiser | outer ends of the brows rise | brow_outer +7 |
| 4 brow lowerer | brows sink and draw together | brow_inner -5 and brow_gap -6, half each |
| 5 upper lid raiser | more of the eye's white above | upper_lid +2.5 |
| 6 cheek raiser | cheeks rise, eyes narrow from below | cheek +5, lower_lid +2 |
| 7 lid tightener | lower lid rises, eyes narrow, cheeks rest | lower_lid +2 less the cheek's part |
| 9 nose wrinkler | nostrils' wings rise | nostril +5, less a smile's part |
| 10 upper lip raiser | the lip's middle and sides rise | upper_lip -7, less a smile's part |
| 12 lip corner puller | corners go up and outwards | 14 along 47 degrees |
| 14 dimpler | corners tighten sideways, lips closed | corner_x +4 without rise, no gap |
| 15 lip corner depressor | corners go down | corner_y -5 |
| 17 chin raiser | chin pushes the lower lip up | upper_lip+upper_red -5 with closed lips, chin_lip -5 |
| 18 lip pucker | the mouth gets narrow | corner_x -8 |
| 20 lip stretcher | the mouth gets wide without rising | corner_x +7 without rise |
| 23 lip tightener | less of the lips' red | both reds -7 |
| 24 lip pressor | less red, lips pressed together | as 23 with closed lips |
| 25 lips part | a gap between the lips | gap 12 |
| 26 jaw drop | the lower teeth sink away from the upper | lower_lip or chin +20 |
| 43 eye closure | the eyes' opening vanishes | aperture, down to .35 of its rest |

Excursions: a full smile moves the corners by 14 mm (Paletz 1994, Plast Reconstr Surg 93:784) along 47 degrees, widens
the mouth by 27 % and shortens the upper lip by 28 % (Tarantili 2005, The spontaneous smile in dynamic motion), parts
the lips by 12 mm (Rigsbee 1988); jaws open to 50 mm, of which 27 is the unit "mouth stretch" and 26 ends at about 20.
The others are drawn from the manual's descriptions on the mean head: they scale, they do not decide. Landmarks see
skin that moves, not furrows: units 4, 7, 14, 17, 23 and 24 are coarse.
"""

import numpy as np

from sensors.face.units.distances import PLACE, Floats

MOST = 5.0
"""The strongest grade of the coding manual (E)."""
SMILE_ANGLE = np.radians(47.0)
CARRIED = 0.4
"""Of a gap between the lips: by how much it carries the corners of the mouth down with it."""
SHUT = 0.35
"""Of the eyes' opening that landmarks still show when they are closed: an aspect ratio of .1 against .3."""
CLOSED_LIPS = 4.0
"""Millimetres of gap at which lips are surely not closed."""


def intensities(change: Floats, open_eyes: float) -> Floats:
    """Of `signals.UNIT_CHANNELS`, 0..5, from the changes against the face's rest and its eyes' opening at rest."""

    def of(name: str) -> float:
        return float(change[PLACE[name]])

    gap = max(0.0, of("gap"))
    closed = 1.0 - min(1.0, gap / CLOSED_LIPS)
    rise = -of("corner_rise") + CARRIED * gap
    wide = of("corner_x")
    pulled = wide * np.cos(SMILE_ANGLE) + rise * np.sin(SMILE_ANGLE)
    # corners that only rise, as those of a shouting mouth, are no smile
    smile = max(0.0, min(pulled, 2.0 * wide)) / 14.0
    cheek = max(0.0, of("cheek")) / 5.0
    lid = max(0.0, of("lower_lid")) / 2.0
    lowered = max(0.0, -of("brow_inner")) / 5.0
    drawn = max(0.0, -of("brow_gap")) / 6.0
    thin = -(of("upper_red") + of("lower_red")) / 7.0
    flat = max(0.0, wide - max(0.0, rise))
    lifted = -(of("upper_lip") + of("upper_red")) / 5.0
    values = (
        of("brow_inner") / 8.0,
        of("brow_outer") / 7.0,
        0.5 * (lowered + drawn),
        of("upper_lid") / 2.5,
        0.5 * (cheek + lid) if cheek > 0 else 0.0,
        lid - cheek,
        of("nostril") / 5.0 - smile,
        -of("lip_side") / 7.0 - smile,
        smile,
        closed * flat / 4.0 - smile,
        -of("corner_y") / 5.0,
        closed * 0.5 * (max(0.0, lifted) + max(0.0, -of("chin_lip") / 5.0)),
        -wide / 8.0,
        flat / 7.0,
        thin,
        closed * thin,
        gap / 12.0,
        max(of("lower_lip"), of("chin")) / 20.0,
        -of("aperture") / (open_eyes * (1.0 - SHUT)),
    )
    return np.asarray(MOST * np.clip(np.array(values), 0.0, 1.0))

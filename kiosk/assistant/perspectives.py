"""Several ways to take up what somebody says - joy, sadness, fear, anger -, and how loud each may be.

After the film Inside Out (Docter 2015): each perspective drafts, one composes. How loud each is, is steered by what was
measured and by what the visitor said; what was said counts more, because it is known and the rest is estimated.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from kiosk.messages import Shown

Perspective = Literal["joy", "sadness", "fear", "anger"]
PERSPECTIVES: tuple[Perspective, ...] = get_args(Perspective)
OF_EXPRESSION: dict[str, Perspective] = {
    "emotion_happiness": "joy",
    "emotion_sadness": "sadness",
    "emotion_fear": "fear",
    "emotion_anger": "anger",
    "emotion_disgust": "anger",
}
OF_FEELING: dict[str, Perspective] = {
    "joy": "joy",
    "sadness": "sadness",
    "tired": "sadness",
    "fear": "fear",
    "anger": "anger",
}
SAID = 1.0
"""What a word weighs; an estimate from face and voice weighs at most half of it."""
ESTIMATED, STRAINED = 0.5, 70.0
"""The stress index from which the body is called strained: the upper third of its scale."""
LEAST = 0.2
"""A perspective that is weaker stays silent."""


def weights(values: Iterable[Shown], said: Sequence[str] = ()) -> dict[Perspective, float]:
    """How loud each perspective is, 0..1, loudest first; those that stay silent are left out."""
    found = dict.fromkeys(PERSPECTIVES, 0.0)
    for each in values:
        if each.value is None:
            continue
        sure = ESTIMATED * (1.0 if each.quality is None else each.quality)
        if each.measure in OF_EXPRESSION:
            found[OF_EXPRESSION[each.measure]] += sure * each.value
        elif each.measure == "valence":
            found["joy" if each.value > 0 else "sadness"] += sure * abs(each.value) / 2
        elif each.measure == "stress" and each.value >= STRAINED:
            found["fear"] += sure * each.value / 100
    for feeling in said:
        found[OF_FEELING[feeling]] += SAID
    loud = {name: min(weight, 1.0) for name, weight in found.items() if weight >= LEAST}
    return dict(sorted(loud.items(), key=lambda each: -each[1]))

"""What one modality says of affect, and how far it may be believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from kiosk.measures import EXPRESSIONS

Z = 1.96
"""Standard deviations of a 95 % interval."""
SHARPEST = 1.0 / Z
"""The smallest standard deviation of an opinion on an axis from -1 to 1. With it the strongest opinion alone is just
sure of its sign, and no single opinion can turn the sign of others that are (`pool`)."""


class Modality(Enum):
    """A way to look at a person. Several sensors of one (ECG, pulse, camera pulse) are one: they see the same heart."""

    FACE = "face"
    VOICE = "voice"
    HEART = "heart"
    SKIN = "skin"
    BRAIN = "brain"


VALENCE: Mapping[Modality, float] = MappingProxyType({Modality.FACE: 0.52, Modality.VOICE: 0.7})
"""Standard deviation of what a modality says of valence, at full quality. The face: networks miss people's ratings of a
picture by .37 (RMSE, Mollahosseini et al. 2019, doi:10.1109/TAFFC.2017.2740923), and what is shown is not what is felt:
about the smallest that is allowed. The voice tells less of valence than of arousal, large networks too (Wagner et al.
2023, doi:10.1109/TPAMI.2023.3263585). The body tells none: it has no entry. No paired data: orders of magnitude."""
AROUSAL: Mapping[Modality, float] = MappingProxyType(
    {
        Modality.FACE: 0.6,
        Modality.VOICE: 0.52,
        Modality.HEART: 0.6,
        Modality.SKIN: 0.6,
        Modality.BRAIN: 0.8,
    }
)
"""The same of arousal. The face misses ratings by .41 (Mollahosseini et al. 2019); arousal is what voices tell best;
measures of the body cohere weakly with felt arousal (Mauss & Robinson 2009, doi:10.1080/02699930802204677), and alpha
answers to open eyes first."""
RELIABLE: Mapping[Modality, float] = MappingProxyType({Modality.FACE: 0.8, Modality.VOICE: 0.5})
"""Share of the time in which a modality's expressions tell anything of this person, at full quality. The face: fitted
on one half of the people of 1,128 labelled press photographs the log loss is least at .95 and hardly more at .8, which
bounds a wrong face twice as tightly; docs/affect.md has the calibration on the other half. The voice: recognisers lose
most of their recall from one corpus to another (Schuller et al. 2010, doi:10.1109/T-AFFC.2010.8): a round number."""
FULL = 0.7
"""Quality of what `RELIABLE` was read on: the mean over those photographs. Above it nobody is believed more."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A measure behind an opinion: what it was, beside what where that is known, and what it added."""

    measure: str
    value: float
    usual: float | None = None
    share: float | None = None
    """Of the opinion's score, signed; they add up to it."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one modality says; None where it says nothing."""

    modality: Modality
    quality: float
    """0..1; at zero it is as if it were not there."""
    valence: float | None = None
    """-1..1."""
    arousal: float | None = None
    """-1..1."""
    emotions: tuple[float | None, ...] | None = None
    """A probability for each of `EXPRESSIONS`, None for those that the modality does not know."""
    source: str = ""
    """The signals that it is from."""
    features: tuple[Feature, ...] = ()
    """The strongest first."""
    known: float = 1.0
    """Share of what it shows that is among `EXPRESSIONS`: its emotions count for so much less, its axes do not."""

    def __post_init__(self) -> None:
        if self.emotions is not None and len(self.emotions) != len(EXPRESSIONS):
            raise ValueError(f"{len(self.emotions)} probabilities for {len(EXPRESSIONS)} expressions")

"""What is answered of courses, beats, spectra and agreement."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Why = Literal["not_kept", "not_analysed"]
ABSENT = (
    "Why there is nothing: a reading's own reason; not_analysed, the session has no analysis yet; not_kept, this "
    "revision is of a version that did not keep it - analyse the session again to have it."
)
_COURSE: JsonDict = {
    "measure": "heart_rate",
    "title": "Heart rate",
    "unit": "/min",
    "decimals": 0,
    "source": "ecg",
    "method": "pan-tompkins-1985",
    "window": 10.0,
    "times": [5.0, 10.0, 15.0],
    "values": [71.2, None, 72.8],
}


class CourseShape(BaseModel):
    """How a number went, by windows: the functions are those of the readings."""

    model_config = ConfigDict(json_schema_extra={"examples": [_COURSE]})

    measure: str
    title: str
    unit: str = Field(description="UCUM.")
    decimals: int = Field(description="How many a person should see.")
    source: str
    method: str
    window: float = Field(description="Seconds that each value is of.")
    times: list[float] = Field(description="Middles of the windows, in seconds since the session's start.")
    values: list[float | None] = Field(description="Null where a window has none.")


class CourseList(BaseModel):
    """The courses of one revision, in the order of the catalogue of measures."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 1, "absent": None, "items": [_COURSE]}]})

    revision: int
    absent: str | None = Field(description=ABSENT)
    items: list[CourseShape]


_INTERVALS: JsonDict = {
    "revision": 2,
    "absent": None,
    "source": "manual",
    "sources": ["manual", "ecg", "ppg"],
    "method": "beats-by-hand-1",
    "times": [0.41, 1.26, 2.12, 2.95],
    "intervals": [None, 850.0, 860.0, 830.0],
    "states": ["measured", "measured", "by_hand", "measured"],
    "found": {"times": [0.41, 1.26, 1.8, 2.95], "kinds": ["normal", "normal", "ectopic", "normal"]},
}


class FoundBeats(BaseModel):
    """Beats as they were found, before any correction."""

    times: list[float]
    kinds: list[Literal["normal", "ectopic", "artefact"]] = Field(
        description="What shape and time make of each; ectopic: early, and not from the sinus node as far as they tell."
    )


class IntervalList(BaseModel):
    """The beats of one source, and the intervals between them that are used."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INTERVALS]})

    revision: int
    absent: str | None = Field(description=ABSENT)
    source: str | None
    sources: list[str] = Field(description="All that have beats, the preferred one first.")
    method: str | None
    times: list[float] = Field(description="Of the beats as they are used, in seconds since the session's start.")
    intervals: list[float | None] = Field(
        description="Milliseconds from the beat before; null for the first, and where the interval is not used."
    )
    states: list[Literal["measured", "moved", "added", "by_hand"]] = Field(
        description="moved, added: by automatic correction."
    )
    found: FoundBeats


_SPECTRUM: JsonDict = {
    "revision": 1,
    "of": "rr",
    "absent": None,
    "source": "ecg",
    "sources": ["ecg", "ppg"],
    "method": "welch",
    "unit": "ms2/Hz",
    "hertz": [0.0375, 0.0383, 0.0392],
    "density": [2210.4, 2305.0, 2390.7],
    "beside": [4210.4, 4195.0, 4101.7],
    "bands": [{"name": "vlf", "low": 0.0033, "high": 0.04, "measure": "vlf_power", "value": None, "absent": "noisy"},
              {"name": "lf", "low": 0.04, "high": 0.15, "measure": "lf_power", "value": 612.0, "absent": None},
              {"name": "hf", "low": 0.15, "high": 0.4, "measure": "hf_power", "value": 498.0, "absent": None}],
    "peak": None,
}  # fmt: skip


class BandShape(BaseModel):
    """A part of a spectrum, and what the readings say of it."""

    name: str
    low: float = Field(description="Hertz.")
    high: float
    measure: str
    value: float | None
    absent: str | None


class SpectrumShape(BaseModel):
    """A power spectrum: of the beats' intervals, or of the EEG."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SPECTRUM]})

    revision: int
    of: Literal["rr", "eeg"]
    absent: str | None = Field(description=ABSENT)
    source: str | None
    sources: list[str]
    method: str | None
    unit: str = Field(description="UCUM.")
    hertz: list[float]
    density: list[float] = Field(
        description="rr: without the slow trend, what LF and HF are sums of. eeg: the mean of the good channels."
    )
    beside: list[float] | None = Field(
        description="rr: with the slow trend, what VLF is the sum of. eeg: the background under the peaks."
    )
    bands: list[BandShape]
    peak: float | None = Field(description="eeg: of alpha, in hertz.")


_CONTRIBUTION: JsonDict = {
    "measure": "stress",
    "part": "heart_rate",
    "title": "Heart rate",
    "unit": "/min",
    "decimals": 0,
    "amount": 0.41,
    "value": 82.0,
    "usual": 68.0,
}


class ContributionShape(BaseModel):
    """What one part had to do with an index."""

    measure: str
    part: str = Field(description="A measure, or a modality: face, voice, heart, skin, brain.")
    title: str
    unit: str = Field(description="UCUM, of `value` and `usual`.")
    decimals: int
    amount: float = Field(description="To the score behind the index; positive pulls it up. They add up to the score.")
    value: float
    usual: float | None = Field(description="What it was held against; null of a modality.")


class ContributionList(BaseModel):
    """By index, the strongest part first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"revision": 1, "absent": None, "items": [_CONTRIBUTION]}]}
    )

    revision: int
    absent: str | None = Field(description=ABSENT)
    items: list[ContributionShape]


_BOUND: JsonDict = {"value": -0.4, "low": -0.9, "high": 0.1}
_AGREEMENT: JsonDict = {
    "revision": 1,
    "measure": "heart_rate",
    "absent": None,
    "reference": "ecg",
    "compared": "rgb",
    "sources": ["ecg", "rgb"],
    "window": 10.0,
    "pairs": 28,
    "missed": 2,
    "independent": 21.4,
    "bias": _BOUND,
    "lower": {"value": -2.5, "low": -3.4, "high": -1.6},
    "upper": {"value": 1.7, "low": 0.8, "high": 2.6},
    "sd": 1.07,
    "mean_absolute_error": 0.8,
    "times": [5.0, 15.0],
    "means": [71.4, 72.0],
    "differences": [-0.6, 0.2],
}


class BoundShape(BaseModel):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


class AgreementShape(BaseModel):
    """How two sources of heart rate agree in this session (Bland & Altman 1999, doi:10.1177/096228029900800204).

    Windows are of one person: this says how they agree on this person, today, and not on people in general.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_AGREEMENT]})

    revision: int
    measure: str
    absent: str | None = Field(
        description=f"{ABSENT} no_reference: only one source has a heart rate; too_short: fewer than six windows."
    )
    reference: str | None
    compared: str | None
    sources: list[str] = Field(description="All that have a heart rate over time.")
    window: float | None = Field(description="Seconds; windows do not overlap.")
    pairs: int = Field(description="Windows that both have.")
    missed: int = Field(description="Windows that the reference has and the other has not.")
    independent: float | None = Field(
        description="As many independent windows would be as sure: neighbours resemble each other, and count for less."
    )
    bias: BoundShape | None = Field(description="The mean of the differences, compared less reference.")
    lower: BoundShape | None = Field(description="Bias - 1.96 SD.")
    upper: BoundShape | None = Field(description="Bias + 1.96 SD: between the two lie 95 % of the differences.")
    sd: float | None
    mean_absolute_error: float | None
    times: list[float]
    means: list[float] = Field(description="Of the two, by window.")
    differences: list[float]

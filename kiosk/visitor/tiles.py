"""Results as visitors see them, at the kiosk and behind the link: tiles of words and numbers, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from kiosk import questionnaires
from kiosk.measures import EXPRESSIONS, MEASURES
from kiosk.messages import Shown
from kiosk.wording import Words

Group = Literal["basic", "diagnostics"]
SCORES = ("findrisc", "who5", "phq2", "phq9", "cbi_personal", "cbi_work")
DIAGNOSTICS = ("heart_rate", "sdnn", "stress", "rmssd", "pnn50", "respiration_rate", "blood_pressure", "temperature",
               "spo2", "hba1c")  # fmt: skip
CLEAR = 0.3
"""Share of the whole below which no emotion stands out: of eight even ones each has 0.125. Ours; it screens nothing."""
ADULT = 18.0
"""Years from which ranges for adults hold."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is published for adults, where no table by age and sex is: bounds, either of which may be open."""

    low: float | None
    high: float | None
    source: str


_NEWS = "Royal College of Physicians 2017, National Early Warning Score 2: no points"
_ESH = "Williams 2018 (ESC/ESH), normal, doi:10.1093/eurheartj/ehy339"
ADULTS: Mapping[str, Usual] = MappingProxyType(
    {
        "bmi": Usual(18.5, 25.0, "WHO 2000, Technical Report Series 894"),
        "respiration_rate": Usual(12.0, 20.0, _NEWS),
        "temperature": Usual(36.1, 38.0, _NEWS),
        "spo2": Usual(96.0, 100.0, _NEWS),
        "systolic": Usual(None, 130.0, _ESH),
        "diastolic": Usual(None, 85.0, _ESH),
        "hba1c": Usual(None, 5.7, "American Diabetes Association 2024, doi:10.2337/dc24-S002"),
    }
)


class Tile(Struct, frozen=True):
    """A result, in words and numbers as they are shown."""

    measure: str
    group: Group
    name: str
    value: str
    """Written in the language's way; empty where absent."""
    unit: str
    plain: str
    """What it is, in plain words."""
    usual: str
    """The range for age and sex, and its source; empty where there is none."""
    absent: str
    """Why there is no value, in words."""
    quality: float | None
    place: float | None
    """Where the value stands within the usual range: 0 its low end, 1 its high end; beyond both where it does."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it: their language, and what is known of them. `words` are of that language."""

    words: Words
    language: str
    age: float | None = None
    sex: str | None = None


def tiles(values: Sequence[Shown], reader: Reader) -> tuple[Tile, ...]:
    """The tiles of what was found, in the order in which they are read. What was not measured is there with its reason;
    scores of questionnaires that were not asked are not, but for the risk of diabetes."""
    found = {each.measure: each for each in values}
    asked = [name for name in SCORES if name == "findrisc" or name in found]
    return (
        _emotion(found, reader),
        _tile("bmi", "basic", found.get("bmi"), reader, lacking="not_told"),
        *(_score(name, found.get(name), reader) for name in asked),
        *_person(reader),
        *(
            _pressure(found, reader)
            if name == "blood_pressure"
            else _tile(name, "diagnostics", found.get(name), reader, lacking="not_measured")
            for name in DIAGNOSTICS
        ),
    )


def number(value: float, decimals: int, language: str) -> str:
    """A number as the language writes it; halves away from zero, as people round."""
    scaled = floor(abs(value) * 10**decimals + 0.5)
    whole, rest = divmod(scaled, 10**decimals)
    text = f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
    sign = "−" if value < 0 and scaled else ""
    return sign + (text if language == "en" else text.replace(".", ","))


def _said(reader: Reader, key: str, **values: str) -> str:
    text = reader.words[key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _unit(measure: str, reader: Reader) -> str:
    unit = MEASURES[measure].unit
    return reader.words.get(f"unit.{unit}", unit)


def _why(reason: str, reader: Reader) -> str:
    return reader.words.get(f"absent.{reason}", reader.words["absent.other"])


def _name(measure: str, reader: Reader) -> str:
    return reader.words.get(f"tile.{measure}.name", MEASURES[measure].title if measure in MEASURES else measure)


def _absent(measure: str, group: Group, reason: str, reader: Reader) -> Tile:
    plain = reader.words.get(f"tile.{measure}.plain", "")
    return Tile(measure, group, _name(measure, reader), "", "", plain, "", _why(reason, reader), None, None)


def _tile(measure: str, group: Group, shown: Shown | None, reader: Reader, *, lacking: str) -> Tile:
    if shown is None or shown.value is None:
        return _absent(measure, group, shown.absent or "other" if shown is not None else lacking, reader)
    usual, place = _usual(measure, shown, reader)
    return Tile(
        measure=measure,
        group=group,
        name=_name(measure, reader),
        value=number(shown.value, MEASURES[measure].decimals, reader.language),
        unit=_unit(measure, reader),
        plain=reader.words.get(f"tile.{measure}.plain", ""),
        usual=usual,
        absent="",
        quality=shown.quality,
        place=place,
    )


def _usual(measure: str, shown: Shown, reader: Reader) -> tuple[str, float | None]:
    """What is usual for people like this one, in words, and where the value stands in it."""
    assert shown.value is not None
    if shown.usual is not None:
        low, high = shown.usual
        words = _said(reader, "usual.for", range=_range(measure, low, high, reader), source=shown.usual_source)
        return words, (shown.value - low) / (high - low) if high > low else None
    known = ADULTS.get(measure)
    if known is None or (reader.age is not None and reader.age < ADULT):
        return "", None
    words = _said(reader, "usual.for_all", range=_range(measure, known.low, known.high, reader), source=known.source)
    if known.low is None or known.high is None:
        return words, None
    return words, (shown.value - known.low) / (known.high - known.low)


def _range(measure: str, low: float | None, high: float | None, reader: Reader) -> str:
    decimals = MEASURES[measure].decimals
    ends = {
        name: number(end, decimals, reader.language) for name, end in (("low", low), ("high", high)) if end is not None
    }
    return _said(reader, "usual.range" if "low" in ends else "usual.up_to", unit=_unit(measure, reader), **ends)


def _emotion(found: Mapping[str, Shown], reader: Reader) -> Tile:
    told = {name: found[f"emotion_{name}"] for name in EXPRESSIONS if f"emotion_{name}" in found}
    there = {name: each.value for name, each in told.items() if each.value is not None}
    if not there:
        reasons = [each.absent for each in told.values() if each.absent]
        return _absent("emotion", "basic", reasons[0] if reasons else "not_measured", reader)
    strongest = max(there, key=lambda name: there[name])
    if there[strongest] < CLEAR:
        return _absent("emotion", "basic", "insufficient", reader)
    return Tile(
        measure="emotion",
        group="basic",
        name=_name("emotion", reader),
        value=_said(reader, "tile.emotion.value", emotion=reader.words[f"emotion.{strongest}"]),
        unit="",
        plain=reader.words["tile.emotion.plain"],
        usual="",
        absent="",
        quality=told[strongest].quality,
        place=None,
    )


def _score(measure: str, shown: Shown | None, reader: Reader) -> Tile:
    """With what was published about such a score; a score has no usual range."""
    tile = _tile(measure, "basic", shown, reader, lacking="not_answered")
    asked = questionnaires.listed().get(measure)
    band = asked.band(shown.value) if asked is not None and shown is not None and shown.value is not None else None
    if band is None:
        return tile
    said = band.text.ru if reader.language == "ru" else band.text.en
    plain = f"{said[:1].upper()}{said[1:]}. {tile.plain}"
    return Tile(measure, "basic", tile.name, tile.value, tile.unit, plain, band.citation, "", tile.quality, None)


def _person(reader: Reader) -> tuple[Tile, Tile]:
    if reader.age is None:
        age = _absent("age", "basic", "not_told", reader)
    else:
        years = floor(reader.age)
        age = _given("age", str(years), reader.words[_years(years, reader.language)], reader)
    known = reader.words.get(f"sex.{reader.sex}")
    sex = _absent("sex", "basic", "not_told", reader) if known is None else _given("sex", known, "", reader)
    return age, sex


def _given(measure: str, value: str, unit: str, reader: Reader) -> Tile:
    plain = reader.words[f"tile.{measure}.plain"]
    return Tile(measure, "basic", _name(measure, reader), value, unit, plain, "", "", None, None)


def _years(years: int, language: str) -> str:
    """The form that a number of years takes (CLDR's plural rules)."""
    if language == "ru":
        if years % 10 == 1 and years % 100 != 11:
            return "unit.a.one"
        return "unit.a.few" if years % 10 in (2, 3, 4) and years % 100 not in (12, 13, 14) else "unit.a"
    return "unit.a.one" if years == 1 else "unit.a"


def _pressure(found: Mapping[str, Shown], reader: Reader) -> Tile:
    """Both numbers as people read them: 121/79."""
    upper, lower = (
        _tile(name, "diagnostics", found.get(name), reader, lacking="not_measured")
        for name in ("systolic", "diastolic")
    )
    if not (upper.value and lower.value):
        lacking = upper if not upper.value else lower
        plain = reader.words["tile.blood_pressure.plain"]
        return Tile(
            "blood_pressure", "diagnostics", _name("blood_pressure", reader), "", "", plain, "", lacking.absent, None,
            None,
        )  # fmt: skip
    known = [each.quality for each in (upper, lower) if each.quality is not None]
    return Tile(
        measure="blood_pressure",
        group="diagnostics",
        name=_name("blood_pressure", reader),
        value=f"{upper.value}/{lower.value}",
        unit=upper.unit,
        plain=reader.words["tile.blood_pressure.plain"],
        usual=_pressure_usual(reader),
        absent="",
        quality=min(known, default=None),
        place=None,
    )


def _pressure_usual(reader: Reader) -> str:
    if reader.age is not None and reader.age < ADULT:
        return ""
    ends = [ADULTS[name].high for name in ("systolic", "diastolic")]
    high = "/".join(number(end, 0, reader.language) for end in ends if end is not None)
    words = _said(reader, "usual.up_to", high=high, unit=_unit("systolic", reader))
    return _said(reader, "usual.for_all", range=words, source=ADULTS["systolic"].source)

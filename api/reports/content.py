"""What a report tells of a session, gathered and put into words; `results.typ` only lays it out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from analytics import norms
from analytics.languages import Language, capital
from api.dashboard.words import GROUPS, PERCENT, Group, Line, duration
from api.interop.session import Exported
from api.reports import words
from api.reports.strip import Strip
from api.reports.words import number, said
from api.tables import ReadingRow, ResponseRow, RevisionRow, SessionRow
from kiosk import questionnaires
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Context

MOST_PARTS = 16
"""Rows of parts of the recording: the record has them all."""
_ASKED = "questionnaire"
_MONTHS = (
    ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
     "December"),
    ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
     "декабря"),
)  # fmt: skip
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Known:
    """All that a report is made of."""

    session: SessionRow
    exported: Exported
    revision: RevisionRow
    responses: tuple[ResponseRow, ...]
    strip: Strip | None
    name: str | None
    """Where it may be said."""
    now: datetime


def content(known: Known, language: Language) -> Json:
    """What the template is given. All of it is text or numbers; the template shows text as it is."""
    context = msgspec.convert(known.revision.context, Context)
    rows = known.exported.readings
    final = [row for row in rows if row.revision > 0]
    best = _best(row for row in final if row.scope == "recording")
    grouped = {measure for group in GROUPS for measure in group.measures}
    whole = [row for measure, row in best.items() if measure not in grouped]
    sections = [_table(said("whole", language), whole, language, context, with_norms=True)]
    sections += [_lines(group, best, language) for group in GROUPS]
    parts = [row for row in final if row.scope not in ("recording", "spot") and row.preferred and row.value is not None]
    sections.append(_table(said("parts", language), parts[:MOST_PARTS], language, context, scoped=True))
    spot = [row for row in rows if row.revision == 0 and row.source != _ASKED]
    latest = {(row.measure, row.source): row for row in sorted(spot, key=lambda row: row.end_ns)}
    sections.append(_table(said("spot", language), list(latest.values()), language, context, spot=True))
    shown = [section for section in sections if section is not None]
    return {
        "language": language,
        "title": said("title", language),
        "screening": said("screening", language),
        "banners": _banners(known, language),
        "facts": _facts(known, context, language),
        "headings": [said(name, language) for name in ("measure", "value", "interval", "quality", "source")],
        "absent": said("absent", language),
        "sections": shown,
        "none": said("no_results", language) if not shown else None,
        "asked": {"title": said("asked", language), "rows": _answers(known.responses, language)},
        "strip": _strip(known.strip, context, language),
        "methods": {"title": said("methods", language), "paragraphs": _methods(known, final, context, language)},
        "foot": {
            "session": f"{said('session', language)} {known.session.id} · "
            f"{said('revision', language).lower()} {known.revision.number}",
            "made": f"{said('made', language)} {_moment(known.now, language)}",
            "page": said("page", language),
        },
    }


def _best(rows: Iterable[ReadingRow]) -> dict[str, ReadingRow]:
    """One reading of each measure, as the dashboard chooses: preferred, else one with a value."""
    found: dict[str, ReadingRow] = {}
    rank = lambda row: (not row.preferred, row.value is None, row.start_ns)  # noqa: E731
    for row in sorted(rows, key=rank):
        found.setdefault(row.measure, row)
    order = {name: place for place, name in enumerate(MEASURES)}
    return dict(sorted(found.items(), key=lambda each: order.get(each[0], len(order))))


def _table(
    title: str, rows: Sequence[ReadingRow], language: Language, context: Context, *, with_norms: bool = False,
    scoped: bool = False, spot: bool = False,
) -> Json | None:  # fmt: skip
    if not rows:
        return None
    told = []
    for row in rows:
        if row.value is None:
            continue
        name = words.title(row.measure, language)
        usual = _percentile(row, context, language) if with_norms else None
        at = duration(row.end_ns / SECOND) if spot else None
        told.append(
            {
                "name": f"{name} ({row.scope})" if scoped else name,
                **_written(row, language),
                "quality": None if row.quality is None else round(100 * row.quality),
                "source": words.source(row.source, language) + (f", {at}" if at else ""),
                "note": "; ".join(each for each in (usual, _note(row, language)) if each),
            }
        )
    return {
        "title": title,
        "rows": told,
        "lines": [],
        "limits": "",
        "notes": [],
        "missing": _missing(((row, words.title(row.measure, language)) for row in rows), language)
        if not spot
        else [
            {"names": words.title(row.measure, language), "why": words.reason(row.absent, language)}
            for row in rows
            if row.value is None
        ],
    }


def _lines(group: Group, best: Mapping[str, ReadingRow], language: Language) -> Json | None:
    found = [(line, best[line.measure.name]) for line in group.lines if line.measure.name in best]
    if not found:
        return None
    lines = []
    for line, row in found:
        if row.value is None:
            continue
        measure = line.measure
        share = (row.value - measure.low) / (measure.high - measure.low) if line.look != "number" else None
        lines.append(
            {
                "name": _short(line, language),
                "look": line.look,
                "share": share,
                **_written(row, language),
            }
        )
    notes = [_note(row, language) for name, row in best.items() if name in group.measures and row.value is not None]
    return {
        "title": words.GROUPS[group.name].text(language),
        "rows": [],
        "lines": lines,
        "limits": words.LIMITS[group.name].text(language) if lines else "",
        "notes": list(dict.fromkeys(note for note in notes if note))[:3],
        "missing": _missing(((row, _short(line, language)) for line, row in found), language),
    }


def _short(line: Line, language: Language) -> str:
    """A line's name under its group's."""
    if language == "en":
        return line.name
    whole = words.title(line.measure.name, language)
    return capital(whole.partition(": ")[2] or whole)


def _missing(rows: Iterable[tuple[ReadingRow, str]], language: Language) -> list[Json]:
    """Reasons, with what is absent for each."""
    found: dict[str, list[str]] = {}
    for row, name in rows:
        if row.value is None:
            found.setdefault(words.reason(row.absent, language), []).append(name)
    return [{"names": ", ".join(names), "why": why} for why, names in found.items()]


def _written(row: ReadingRow, language: Language) -> Json:
    """Value, unit and interval as text."""
    measure = MEASURES.get(row.measure)
    times, decimals = (100.0, 0) if row.measure in PERCENT else (1.0, measure.decimals if measure else 2)
    unit = "%" if row.measure in PERCENT else words.unit(measure.unit if measure else "", language)
    assert row.value is not None
    if row.measure in words.YES_OR_NO:
        return {"value": said("noticed" if row.value else "not_noticed", language), "unit": "", "interval": ""}
    interval = ""
    if row.low is not None and row.high is not None:
        interval = f"{number(times * row.low, decimals, language)} – {number(times * row.high, decimals, language)}"
    return {"value": number(times * row.value, decimals, language), "unit": unit, "interval": interval}


def _note(row: ReadingRow, language: Language) -> str:
    return (row.note_ru or row.note) if language == "ru" else row.note


def _percentile(row: ReadingRow, context: Context, language: Language) -> str | None:
    """Where a value stands among people of this age and sex, where there is a norm for them."""
    if row.value is None:
        return None
    above = norms.percentile(row.measure, row.value, age=context.age, sex=context.sex)
    return None if above is None else said("percentile", language, round(above))


def _banners(known: Known, language: Language) -> list[str]:
    given = (
        ("simulated", known.session.simulated),
        ("partial", known.revision.outcome == "partial"),
        ("changed", known.session.changed),
    )
    return [said(name, language) for name, holds in given if holds]


def _facts(known: Known, context: Context, language: Language) -> list[list[str]]:
    told = known.exported
    sex = {"female": "female", "male": "male"}.get(context.sex or "", "other" if context.sex else "unknown")
    age = said("unknown", language) if context.age is None else f"{context.age:.0f} {said('years', language)}"
    facts = [
        (said("person", language), told.pseudonym or said("nobody", language)),
        (said("when", language), said("unknown", language) if told.origin is None else _moment(told.origin, language)),
        (said("age", language), f"{age}, {said(sex, language)}"),
        (said("lasted", language), said("unknown", language) if told.ended is None else duration(told.ended)),
        (said("kiosk", language), told.kiosk),
        (said("protocol", language), told.protocol or "–"),
    ]
    if known.name:
        facts.insert(0, (said("name", language), known.name))
    return [list(fact) for fact in facts]


def _moment(when: datetime, language: Language) -> str:
    utc = when.astimezone(UTC)
    month = _MONTHS[language == "ru"][utc.month - 1]
    year = f"{utc.year} г." if language == "ru" else f"{utc.year}"
    return f"{utc.day} {month} {year}, {utc:%H:%M} UTC"


def _answers(rows: Sequence[ResponseRow], language: Language) -> list[Json]:
    told: list[Json] = []
    for row in rows:
        asked = questionnaires.listed().get(row.questionnaire)
        if asked is None or asked.version != row.questionnaire_version:
            told.append({"name": row.questionnaire, "score": "–", "band": "", "about": ""})
            continue
        band = None if row.score is None else asked.band(row.score)
        meaning = _said(band.text, language) if band else ""
        measure = MEASURES[asked.measure]
        about = [band.citation] if band else []
        if _said(asked.translation, row.language).startswith("ours"):
            about.append(said("translation", language, said("ours", language)))
        told.append(
            {
                "name": _said(asked.title, language),
                "score": "–"
                if row.score is None
                else f"{number(row.score, measure.decimals, language)} / {number(asked.high, 0, language)}",
                "band": said("incomplete", language) if row.score is None else meaning,
                "about": " ".join(about),
            }
        )
    return told


def _said(given: questionnaires.Words, language: str) -> str:
    return given.ru if language == "ru" else given.en


def _strip(strip: Strip | None, context: Context, language: Language) -> Json | None:
    if strip is None:
        return None
    about = said(
        "strip_about", language, strip.device, strip.lead, number(strip.start, 1, language),
        number(strip.end, 1, language), number(strip.gain, 0 if strip.gain % 1 == 0 else 2, language),
    )  # fmt: skip
    return {
        "title": said("strip", language),
        "svg": strip.svg,
        "width": strip.width,
        "about": about,
        "by_hand": said("by_hand", language, context.by_hand),
    }


def _methods(known: Known, final: Sequence[ReadingRow], context: Context, language: Language) -> list[str]:
    revision = known.revision
    created = datetime.fromtimestamp(revision.created_ns // SECOND, UTC)
    told = [said("methods_about", language, revision.version, revision.number, _moment(created, language))]
    methods: dict[str, list[str]] = {}
    for row in final:
        if row.value is not None and row.preferred and row.scope == "recording":
            methods.setdefault(row.method, []).append(words.title(row.measure, language))
    told += [f"{', '.join(dict.fromkeys(names))}: {method}." for method, names in methods.items()]
    rows = [norms.norm(row.measure, age=context.age, sex=context.sex) for row in final if row.value is not None]
    used = {(norm.source, norm.doi, norm.window) for norm in rows if norm is not None}
    if used:
        listed = "; ".join(f"{source}, doi:{doi} ({window})" for source, doi, window in sorted(used))
        told.append("[1] " + said("norms", language, norms.VERSION, listed))
    networks = sorted({row.model[:16] for row in final if row.model})
    if networks:
        told.append(said("networks", language, ", ".join(networks)))
    return told

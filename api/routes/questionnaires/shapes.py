"""What is asked and answered about questionnaires, as it travels."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.routes.words import PATTERN
from kiosk.questionnaires import Language, Words

_TEXT: JsonDict = {"en": "I have felt calm and relaxed", "ru": "Я чувствую себя спокойно и расслабленно"}
_BAND: JsonDict = {
    "low": 0.0,
    "high": 50.0,
    "text": {"en": "low well-being: worth a closer look (screening, not a diagnosis)", "ru": "сниженное благополучие"},
    "citation": "Topp 2015, doi:10.1159/000376585",
}
_SHAPE: JsonDict = {
    "id": "who5",
    "version": "1",
    "measure": "who5",
    "title": {"en": "WHO-5 Well-Being Index", "ru": "Индекс общего самочувствия ВОЗ-5"},
    "instruction": {"en": "Over the last two weeks ...", "ru": "За последние две недели ..."},
    "translation": {"en": "original", "ru": "ours, not validated"},
    "source": "Topp 2015, doi:10.1159/000376585",
    "licence": "Free of charge, no permission needed.",
    "low": 0.0,
    "high": 100.0,
    "rule": "sum",
    "factor": 4.0,
    "items": [
        {"id": "q2", "text": _TEXT, "options": [{"value": 5, "text": {"en": "All of the time", "ru": "Всё время"}}]}
    ],
    "bands": [_BAND],
}
_ANSWERS: JsonDict = {"q1": 3, "q2": 2, "q3": 3, "q4": 1, "q5": 3}
_RESPONSE: JsonDict = {
    "id": "q-8d4f1a60b2c7e935",
    "questionnaire": "who5",
    "version": "1",
    "language": "en",
    "answers": _ANSWERS,
    "complete": True,
    "score": 48.0,
    "absent": None,
    "band": _BAND,
    "urgent": False,
    "recorded_by": "u-48b1d9e70f36a2c5",
    "created": "2026-01-02T09:10:00Z",
}
QuestionnaireId = Annotated[
    str, Path(description="The questionnaire's id.", pattern=PATTERN, max_length=40, examples=["who5"])
]


class WordsShape(BaseModel):
    """A text in both languages."""

    en: str
    ru: str

    @classmethod
    def of(cls, words: Words) -> Self:
        """From the catalogue."""
        return cls(en=words.en, ru=words.ru)


class OptionShape(BaseModel):
    """What may be answered."""

    value: int
    text: WordsShape


class ItemShape(BaseModel):
    """A question."""

    id: str
    text: WordsShape
    options: list[OptionShape]


class BandShape(BaseModel):
    """A range of scores that somebody published a meaning for. It screens and diagnoses nothing."""

    low: float
    high: float
    text: WordsShape
    citation: str


class QuestionnaireShape(BaseModel):
    """A questionnaire, with where it is from and what may be done with it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHAPE]})

    id: str
    version: str
    measure: str = Field(description="What its score is called among readings.")
    title: WordsShape
    instruction: WordsShape
    translation: WordsShape = Field(description="Where each language's words are from, and whether they are validated.")
    source: str
    licence: str
    low: float
    high: float
    rule: Literal["sum", "mean"]
    factor: float
    items: list[ItemShape]
    bands: list[BandShape]


class QuestionnaireList(BaseModel):
    """All that there are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_SHAPE]}]})

    items: list[QuestionnaireShape]


class NewAnswers(BaseModel):
    """What somebody answered."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"questionnaire": "who5", "language": "en", "answers": _ANSWERS}]},
    )

    questionnaire: Annotated[str, Field(pattern=PATTERN, max_length=40)]
    version: Annotated[str, Field(max_length=16)] | None = Field(
        None, description="Which wording was shown; absent: the present one."
    )
    language: Language = "en"
    answers: Annotated[dict[str, Annotated[int, Field(strict=True)]], Field(max_length=100)] = Field(
        description="Values by item. What is missing makes them incomplete: there is no score then."
    )


class ResponseShape(BaseModel):
    """What somebody answered, and the score - or why there is none."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RESPONSE]})

    id: str
    questionnaire: str
    version: str
    language: str
    answers: dict[str, int]
    complete: bool
    score: float | None
    absent: Literal["incomplete"] | None = Field(description="Why there is no score.")
    band: BandShape | None = Field(description="What was published about such a score; screening, not a diagnosis.")
    urgent: bool = Field(description="An answer that must not wait; it has raised an alert.")
    recorded_by: str | None
    created: datetime


class ResponseList(BaseModel):
    """A session's answers, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_RESPONSE]}]})

    items: list[ResponseShape]

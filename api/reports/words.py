"""What a report says, in English and Russian. A kiosk screens: sentences state what was measured and no more."""

from collections.abc import Mapping
from types import MappingProxyType

from analytics.languages import Language, Note
from api.dashboard import words

YES_OR_NO = {"irregular_rhythm": "Irregular rhythm"}
"""Measures that are 1 or 0, with their titles: a report says it in words."""
ALIKE = frozenset({"sdnn", "rmssd", "pnn50", "sdsd", "pnn20", "cvnn", "lf_hf", "phq2", "phq9"})
_RUSSIAN = {group.name: group for group in words.groups("ru")}
LIMITS: Mapping[str, Note] = MappingProxyType(
    {group.name: Note(group.limits, _RUSSIAN[group.name].limits) for group in words.GROUPS}
)
GROUPS: Mapping[str, Note] = MappingProxyType(
    {group.name: Note(group.title, _RUSSIAN[group.name].title) for group in words.GROUPS}
)
SAID: Mapping[str, Note] = MappingProxyType(
    {
        "title": Note("Results of a screening", "Результаты скрининга"),
        "screening": Note(
            "Screening, not a diagnosis. Only a clinician can say what these numbers mean for a person.",
            "Скрининг, а не диагноз. Что эти числа значат для человека, может сказать только врач.",
        ),
        "simulated": Note(
            "Simulated: no person sat there. These numbers say nothing about anybody.",
            "Имитация: человека не было. Эти числа ни о ком ничего не говорят.",
        ),
        "partial": Note("Part of the recording was not delivered.", "Часть записи не доставлена."),
        "changed": Note(
            "Something arrived after this analysis; a newer one will follow.",
            "После этого анализа поступили новые данные; последует новый анализ.",
        ),
        "person": Note("Person", "Человек"),
        "name": Note("Name", "Имя"),
        "nobody": Note("not assigned to anybody", "никому не присвоен"),
        "age": Note("Age, sex", "Возраст, пол"),
        "female": Note("female", "женский"),
        "male": Note("male", "мужской"),
        "other": Note("other", "другой"),
        "years": Note("years", "лет"),
        "unknown": Note("not known", "неизвестно"),
        "when": Note("Measured", "Измерено"),
        "lasted": Note("Duration", "Длительность"),
        "kiosk": Note("Kiosk", "Киоск"),
        "protocol": Note("Protocol", "Протокол"),
        "session": Note("Session", "Сеанс"),
        "revision": Note("Revision", "Редакция"),
        "of": Note("of", "от"),
        "whole": Note("Whole recording", "Вся запись"),
        "parts": Note("Parts of the recording", "Части записи"),
        "spot": Note("Measured by devices", "Измерено приборами"),
        "asked": Note("Questionnaires", "Опросники"),
        "measure": Note("Measure", "Показатель"),
        "value": Note("Value", "Значение"),
        "interval": Note("95 % interval", "95 % интервал"),
        "quality": Note("Quality", "Качество"),
        "source": Note("Source", "Источник"),
        "percentile": Note(
            "higher than in {0} % of people of this age and sex [1]",
            "выше, чем у {0} % людей этого возраста и пола [1]",
        ),
        "noticed": Note("noticed", "замечен"),
        "not_noticed": Note("not noticed", "не замечен"),
        "absent": Note("Without a value", "Без значения"),
        "strip": Note("Electrocardiogram", "Электрокардиограмма"),
        "strip_about": Note(
            "{0}, lead {1}, {2} – {3} s of the recording. 25 mm/s, {4} mm/mV, unfiltered. Ticks: beats of this"
            " revision.",
            "{0}, отведение {1}, {2} – {3} с записи. 25 мм/с, {4} мм/мВ, без фильтра. Штрихи: удары этой редакции.",
        ),
        "by_hand": Note(
            "Beats corrected by a person in this revision: {0}.", "Ударов исправлено человеком в этой редакции: {0}."
        ),
        "no_results": Note("There are no results.", "Результатов нет."),
        "incomplete": Note("not all items were answered", "ответили не на все вопросы"),
        "translation": Note("Translation: {0}.", "Перевод: {0}."),
        "original": Note("original", "оригинал"),
        "ours": Note("ours, not validated", "наш, не валидирован"),
        "methods": Note("How this was made", "Как это получено"),
        "methods_about": Note(
            "health-kiosk {0}; revision {1} of {2}. A value is given with its source and quality (0 to 100 %), or is"
            " absent with the reason. An interval is given only where it was validated.",
            "health-kiosk {0}; редакция {1} от {2}. Значение приводится с источником и качеством (от 0 до 100 %) или"
            " отсутствует с указанием причины. Интервал приводится только там, где он проверен.",
        ),
        "norms": Note("Comparison ({0}): {1}.", "Сравнение ({0}): {1}."),
        "networks": Note("Networks (SHA-256): {0}.", "Сети (SHA-256): {0}."),
        "page": Note("page", "стр."),
        "made": Note("printed", "напечатано"),
    }
)


def said(name: str, language: Language, *given: object) -> str:
    """A phrase with what is put into it."""
    return SAID[name].text(language).format(*given)


def title(measure: str, language: Language) -> str:
    """What a measure is called."""
    if language == "en" and measure in YES_OR_NO:
        return YES_OR_NO[measure]
    return words.measure_title(measure, language)


def reason(absent: str | None, language: Language) -> str:
    """Why there is no value, as a sentence; a device's own reason as it says it."""
    return words.reason(absent or "", language)


def unit(ucum: str, language: Language) -> str:
    """A unit as people write it."""
    return words.unit(ucum, language)


def source(named: str, language: Language) -> str:
    """Where a number comes from: signals in words, devices by their names."""
    known = words.sources(language)
    return ", ".join(known.get(part, part) for part in (each.strip() for each in named.replace("+", ",").split(",")))


def number(value: float, decimals: int, language: Language) -> str:
    """A number with its decimals; no minus before nothing."""
    text = f"{value:.{decimals}f}"
    text = text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
    return text.replace(".", ",") if language == "ru" else text

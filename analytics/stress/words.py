"""What drove the index, in plain words that promise no more than was measured: English and Russian."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from analytics.languages import Language, capital, listed
from analytics.stress.evidence import Part
from analytics.stress.reference import Against, Compared, Comparison
from kiosk.measures import Reason
from kiosk.wording import number

NOTICED = 1.0
"""Standard deviations from which a measure is called higher or lower."""
CAUTION: Mapping[Language, str] = MappingProxyType(
    {
        "en": "Exertion, talking, coffee, warmth, pain, fever and medicine can do the same. "
        "A kiosk screens; this is no diagnosis.",
        "ru": "Так же действуют нагрузка, разговор, кофе, тепло, боль, жар и лекарства. Это скрининг, а не диагноз.",
    }
)
RUSSIAN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "heart_rate": ("частота пульса", "/мин"),
        "rmssd": ("RMSSD", "мс"),
        "sdnn": ("SDNN", "мс"),
        "stress_index": ("индекс напряжения Баевского", ""),
        "eda_slope": ("дрейф проводимости кожи", "%/мин"),
        "eda_peaks": ("частота кожных реакций", "/мин"),
        "skin_temperature_slope": ("дрейф температуры пальца", "°C/мин"),
        "respiration_rate": ("частота дыхания", "/мин"),
        "eeg_engagement": ("индекс вовлечённости по ЭЭГ", ""),
        "eeg_alpha_relative": ("доля альфа-ритма", ""),
    }
)
"""Name and unit of each measure that is compared with what is usual; English ones are in its `Part`."""


def note(value: float, reference: Compared, language: Language = "en") -> str:
    """The index and its drivers, the strongest deviation first."""
    head = (
        f"Индекс стресса {value:.0f} из 100; обычно 50, {whom(reference, language)}."
        if language == "ru"
        else f"Stress index {value:.0f} of 100; 50 is usual, {whom(reference, language)}."
    )
    leads = ("Как при стрессе: ", "Против: ") if language == "ru" else ("As under stress: ", "Against it: ")
    return " ".join([head, *drivers(reference.comparisons, leads, language), CAUTION[language]])


def without(absent: Reason, language: Language = "en") -> str:
    """Why there is no index."""
    if absent == "no_reference":
        if language == "ru":
            return "Индекса стресса нет: сравнить не с чем - нет ни прежних сеансов, ни норм для этого человека."
        return "No stress index: there is nothing to compare with, neither earlier sessions nor norms for this person."
    if language == "ru":
        return "Индекса стресса нет: ни пульс, ни проводимость кожи не измерены достаточно хорошо."
    return "No stress index: neither heart rate nor skin conductance was measured well enough."


def drivers(comparisons: Iterable[Comparison], leads: tuple[str, str], language: Language) -> list[str]:
    """Sentences: what speaks for it, what against it, and what is as usual; the strongest deviation first."""
    found = sorted(comparisons, key=lambda each: -abs(each.z))
    towards = [each for each in found if each.part.sign * each.z >= NOTICED]
    away = [each for each in found if each.part.sign * each.z <= -NOTICED]
    rest = [each for each in found if abs(each.z) < NOTICED]
    usual = "как обычно" if language == "ru" else "as usual"
    return [
        *_told(towards, leads[0], language),
        *_told(away, leads[1], language),
        *([f"{capital(listed([title(each.part, language) for each in rest], language))} {usual}."] if rest else []),
    ]


def beside(each: Comparison, language: Language) -> str:
    """One measure beside what is usual: `heart rate higher (78 against 66 /min)`."""
    decimals = each.part.decimals
    unit = RUSSIAN[each.part.measure][1] if language == "ru" else each.part.unit
    higher, against = (
        ("выше" if each.z > 0 else "ниже", "против")
        if language == "ru"
        else ("higher" if each.z > 0 else "lower", "against")
    )
    quantity = f"{number(each.usual, decimals, language)} {unit}".rstrip()
    return f"{title(each.part, language)} {higher} ({number(each.value, decimals, language)} {against} {quantity})"


def title(part: Part, language: Language) -> str:
    """What the measure is called within a sentence."""
    return RUSSIAN[part.measure][0] if language == "ru" else part.title


def whom(reference: Compared, language: Language) -> str:
    """With whom the person was compared."""
    return _whom_russian(reference) if language == "ru" else _whom(reference)


def _whom(reference: Compared) -> str:
    if reference.against is Against.SESSIONS:
        earlier = "the earlier session" if reference.count == 1 else f"{reference.count} earlier sessions"
        return f"compared with {earlier} of the same person"
    if reference.against is Against.REST:
        return "compared with the beginning of this recording"
    return (
        "compared with published norms, for want of earlier sessions; such differences between people come more from "
        "constitution, fitness and medicine than from stress"
    )


def _whom_russian(reference: Compared) -> str:
    if reference.against is Against.SESSIONS:
        if reference.count == 1:
            return "в сравнении с прежним сеансом того же человека"
        return f"в сравнении с прежними сеансами того же человека (их {reference.count})"
    if reference.against is Against.REST:
        return "в сравнении с началом этой записи"
    return (
        "в сравнении с опубликованными нормами, так как прежних сеансов нет; такие различия между людьми зависят "
        "больше от конституции, тренированности и лекарств, чем от стресса"
    )


def _told(comparisons: Sequence[Comparison], lead: str, language: Language) -> list[str]:
    return [f"{lead}{listed([beside(each, language) for each in comparisons], language)}."] if comparisons else []

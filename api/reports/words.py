"""What a report says, in English and Russian. A kiosk screens: sentences state what was measured and no more."""

from collections.abc import Mapping
from types import MappingProxyType

from analytics.languages import Language, Note
from api.dashboard import words
from kiosk.measures import BANDS, MEASURES, Reason

_EMOTIONS = {
    "neutral": "нейтральное",
    "happiness": "радость",
    "sadness": "грусть",
    "surprise": "удивление",
    "anger": "гнев",
    "fear": "страх",
    "disgust": "отвращение",
    "contempt": "презрение",
    "boredom": "скука",
    "calm": "спокойствие",
    "valence": "валентность",
    "arousal": "возбуждение",
}
_BANDS = {"delta": "дельта", "theta": "тета", "alpha": "альфа", "beta": "бета", "gamma": "гамма"}
_TITLES = {
    "heart_rate": "Частота сердечных сокращений",
    "mean_rr": "Средний интервал между ударами",
    "triangular_index": "Триангулярный индекс ВСР",
    "total_power": "Общая мощность ВСР",
    "vlf_power": "Мощность очень низких частот (VLF)",
    "lf_power": "Мощность низких частот (LF)",
    "hf_power": "Мощность высоких частот (HF)",
    "lf_nu": "LF, нормированная",
    "hf_nu": "HF, нормированная",
    "sd1": "Пуанкаре SD1",
    "sd2": "Пуанкаре SD2",
    "sd_ratio": "Пуанкаре SD2/SD1",
    "dfa_alpha1": "DFA альфа-1",
    "sample_entropy": "Выборочная энтропия",
    "stress_index": "Индекс напряжения Баевского (корень)",
    "beats_corrected": "Исправлено ударов",
    "ectopic_burden": "Эктопические удары",
    "pauses": "Паузы от 2 с",
    "irregular_rhythm": "Нерегулярный ритм",
    "respiration_rate": "Частота дыхания",
    "eda_slope": "Изменение проводимости кожи",
    "eda_peaks": "Кожно-гальванические реакции",
    "skin_temperature_slope": "Изменение температуры кожи",
    "stress": "Стресс",
    "physiological_arousal": "Физиологическое возбуждение",
    "arousal": "Возбуждение",
    "valence": "Валентность",
    "systolic": "Систолическое артериальное давление",
    "diastolic": "Диастолическое артериальное давление",
    "spo2": "Насыщение крови кислородом (пульсоксиметрия)",
    "temperature": "Температура тела",
    "weight": "Масса тела",
    "height": "Рост",
    "bmi": "Индекс массы тела",
    "blink_rate": "Моргания",
    "blink_duration": "Длительность моргания",
    "perclos": "Глаза закрыты (PERCLOS)",
    "gaze_aversion": "Взгляд в сторону от экрана",
    "yawns": "Зевки",
    "vocal_effort": "Голосовое усилие",
    "speech_share": "Доля времени речи",
    "speech_rate": "Слогов в секунду речи",
    "speech_pause": "Средняя пауза в речи",
    "voice_pitch": "Высота голоса (медиана)",
    "voice_pitch_range": "Размах высоты голоса",
    "voice_jitter": "Джиттер",
    "voice_shimmer": "Шиммер",
    "voice_hnr": "Отношение гармоник к шуму",
    "eeg_alpha_peak": "ЭЭГ: пик альфа-ритма",
    "eeg_exponent": "ЭЭГ: апериодический показатель",
    "eeg_asymmetry": "ЭЭГ: лобная альфа-асимметрия",
    "eeg_theta_beta": "ЭЭГ: тета/бета",
    "eeg_engagement": "ЭЭГ: вовлечённость, β/(α+θ)",
    "eeg_slowing": "ЭЭГ: замедление, θ/α",
    "eeg_eyes_contrast": "ЭЭГ: альфа, глаза закрыты / открыты",
    "eeg_activity": "ЭЭГ: активность по Хьорту",
    "eeg_mobility": "ЭЭГ: подвижность по Хьорту",
    "eeg_complexity": "ЭЭГ: сложность по Хьорту",
    "eeg_usable": "ЭЭГ: пригодная доля",
    "who5": "Индекс самочувствия ВОЗ-5",
    "findrisc": "FINDRISC, риск диабета",
    "cbi_personal": "Личностное выгорание (CBI)",
    "cbi_work": "Профессиональное выгорание (CBI)",
    **{f"face_{name}": f"Лицо: {said}" for name, said in _EMOTIONS.items()},
    **{f"voice_{name}": f"Голос: {said}" for name, said in _EMOTIONS.items()},
    **{f"emotion_{name}": f"Всё вместе: {said}" for name, said in _EMOTIONS.items()},
    **{f"eeg_{band}": f"ЭЭГ: {_BANDS[band]}, мощность" for band in BANDS},
    **{f"eeg_{band}_relative": f"ЭЭГ: {_BANDS[band]}, доля мощности" for band in BANDS},
    **{f"eeg_{band}_entropy": f"ЭЭГ: {_BANDS[band]}, дифференциальная энтропия" for band in BANDS},
}
"""Of measures; those that are called alike in both languages are not listed."""
YES_OR_NO = {"irregular_rhythm": "Irregular rhythm"}
"""Measures that are 1 or 0, with their titles: a report says it in words."""
ALIKE = frozenset({"sdnn", "rmssd", "pnn50", "sdsd", "pnn20", "cvnn", "lf_hf", "phq2", "phq9"})
_REASONS: Mapping[Reason, str] = {
    "too_short": "Для этого значения сигнала недостаточно.",
    "noisy": "Сигнал слишком зашумлён.",
    "flat": "Датчик передаёт ровную линию: возможно, он не закреплён.",
    "saturated": "Сигнал выходит за пределы диапазона датчика.",
    "unsuitable_rate": "Сигнал записан слишком медленно для этого значения.",
    "impossible": "Вычисленное значение физически невозможно и отброшено.",
    "no_face": "Лица не было в кадре.",
    "no_trained_model": "Для этого значения не установлена обученная сеть.",
    "not_delivered": "Часть записи не доставлена.",
    "analysis_failed": "Анализ этой записи не удался.",
    "too_many_corrected": "Исправлено слишком много ударов, чтобы значение что-то говорило.",
    "irregular": "Ритм нерегулярный: его вариабельность не говорит ни о нагрузке, ни о восстановлении.",
    "insufficient": "Данных недостаточно для утверждения.",
    "no_reference": "Не с чем сравнить: нет ни прежних сеансов, ни норм для этого возраста и пола.",
    "too_dark": "Лицо слишком тёмное для камеры.",
    "moving": "Голова слишком много двигалась.",
    "too_far": "Лицо слишком далеко от камеры.",
    "no_speech": "Никто не говорил.",
    "too_quiet": "Голос был слишком тихим.",
    "unfamiliar": "Это не было похоже на речь, на которой обучалась сеть.",
    "missing_channels": "Нужные каналы не записаны.",
    "not_present": "Измерять было нечего.",
}
_UNITS = {
    "/min": "/мин", "ms": "мс", "ms2": "мс²", "s": "с", "/s": "/с", "Hz": "Гц", "mm[Hg]": "мм рт. ст.", "Cel": "°C",
    "Cel/min": "°C/мин", "%/min": "%/мин", "kg": "кг", "cm": "см", "kg/m2": "кг/м²", "dB": "дБ", "uV2": "мкВ²",
    "{semitone}": "полутонов", "{nat}": "нат", "{score}": "баллов", "1": "", "%": "%",
}  # fmt: skip
_SOURCES = {
    "face_motion": "камера (голова и грудь)",
    "face_scores": "камера (сети)",
    "face_units": "камера (точки лица)",
    "fusion": "лицо, голос и тело вместе",
    "rgb": "камера",
    "voice_functionals": "микрофон",
    "voice_scores": "микрофон (сеть)",
    "questionnaire": "опросник",
    "ecg": "ЭКГ",
    "ppg": "пульсовая волна",
    "eeg": "ЭЭГ",
    "respiration": "датчик дыхания",
    "eda": "проводимость кожи",
}
_ENGLISH_SOURCES = {"ecg": "ECG", "ppg": "pulse wave", "eeg": "EEG", "respiration": "breathing sensor",
                    "eda": "skin conductance", "questionnaire": "questionnaire"}  # fmt: skip
_LIMITS = {
    "affect": "Оценка того, каким человек кажется, по тому, что есть от лица, голоса и тела. Это не заключение.",
    "face": "Оценка того, что показывает лицо, а не того, что человек чувствует. На неё влияют свет, очки, борода,"
    " возраст и обычаи; это не заключение.",
    "voice": "Оценка того, как звучит голос, по записям актёров, говоривших по-немецки, а не того, что человек"
    " чувствует. На неё влияют язык, возраст, простуда и помещение; это не заключение.",
    "brain": "Описание этих минут; на него влияют моргание, мышцы, сонливость и место электродов. Оно не находит"
    " болезней и не исключает их.",
}
LIMITS: Mapping[str, Note] = MappingProxyType(
    {group.name: Note(group.limits, _LIMITS[group.name]) for group in words.GROUPS}
)
GROUPS: Mapping[str, Note] = MappingProxyType(
    {
        "affect": Note("All together", "Всё вместе"),
        "face": Note("Face", "Лицо"),
        "voice": Note("Voice", "Голос"),
        "brain": Note("Brain", "Мозг"),
    }
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
    known = MEASURES.get(measure)
    if language == "ru" and measure in _TITLES:
        return _TITLES[measure]
    if measure in YES_OR_NO:
        return YES_OR_NO[measure]
    return known.title if known else measure


def reason(absent: str | None, language: Language) -> str:
    """Why there is no value, as a sentence; a device's own reason as it says it."""
    known: Mapping[str, str] = _REASONS if language == "ru" else words.REASONS  # type: ignore[assignment]
    return known.get(absent or "", absent or "")


def unit(ucum: str, language: Language) -> str:
    """A unit as people write it."""
    if language == "ru":
        return _UNITS.get(ucum, words.unit(ucum))
    return {"{score}": "points", "kg/m2": "kg/m²"}.get(ucum, words.unit(ucum))


def source(named: str, language: Language) -> str:
    """Where a number comes from: signals in words, devices by their names."""
    known = _SOURCES if language == "ru" else {**words.SOURCES, **_ENGLISH_SOURCES}
    return ", ".join(known.get(part, part) for part in (each.strip() for each in named.replace("+", ",").split(",")))


def number(value: float, decimals: int, language: Language) -> str:
    """A number with its decimals; no minus before nothing."""
    text = f"{value:.{decimals}f}"
    text = text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
    return text.replace(".", ",") if language == "ru" else text

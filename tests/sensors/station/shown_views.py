"""Every screen of a visit with something on it, in both languages, for tests of the page. All of it is synthetic."""

import msgspec
import segno

from kiosk import consent, protocols, questionnaires
from kiosk.assistant import Facts
from kiosk.assistant.rules import warning
from kiosk.messages import Shown as Value
from kiosk.visitor import WORDS
from kiosk.visitor.tiles import Tile
from sensors.station.view import (
    Consent,
    Contact,
    Measuring,
    Offer,
    Option,
    Outcome,
    Question,
    Screen,
    SpeechLine,
    Spot,
    View,
)


def tiles(language: str) -> tuple[Tile, ...]:
    """Results such as a full visit has: all synthetic."""
    t = WORDS[language]
    comma = "," if language == "ru" else "."

    def tile(measure: str, value: str, unit: str, place: float | None = None,
             usual: tuple[str, str, str] | None = None, *, absent: str = "", basic: bool = False,
             quality: float | None = 0.9) -> Tile:  # fmt: skip
        words = ""
        if usual is not None:
            low, high, source = usual
            spoken = t["usual.range"].format(low=low, high=high, unit=t[f"unit.{unit}"])
            words = t["usual.for"].format(range=spoken, source=source)
        return Tile(measure, "basic" if basic else "diagnostics", t[f"tile.{measure}.name"], value.replace(".", comma),
                    t[f"unit.{unit}"], t[f"tile.{measure}.plain"], words, absent and t[f"absent.{absent}"],
                    quality if value else None, place)  # fmt: skip

    emotion = t["tile.emotion.value"].format(emotion=t["emotion.happiness"])
    return (
        tile("sex", t["sex.female"], "1", basic=True, quality=None),
        tile("age", "42", "a", basic=True, quality=None),
        tile("emotion", emotion, "1", basic=True, quality=0.6),
        tile("bmi", "23.4", "kg/m2", 0.75, ("18.5", "25", "WHO 2000"), basic=True, quality=None),
        tile("findrisc", "9", "{score}", 1.3, ("0", "6", "Lindström 2003"), basic=True, quality=None),
        tile("heart_rate", "68", "/min", 0.4, ("55", "88", "NHANES 2011")),
        tile("sdnn", "46.2", "ms", 0.5, ("25", "70", "Voss 2015")),
        tile("stress", "31", "1", 0.3, quality=0.7),
        tile("rmssd", "18.1", "ms", -0.2, ("19", "58", "Voss 2015"), quality=0.45),
        tile("pnn50", "12.0", "%", 0.4, ("1", "32", "Voss 2015")),
        tile("respiration_rate", "14", "/min", 0.5, ("12", "20", "RCP 2017")),
        tile("blood_pressure", "128/82", "mm[Hg]", 1.1, ("90/60", "120/80", "ESC 2024"), quality=None),
        tile("spo2", "98", "%", 0.8, ("95", "100", "BTS 2017"), quality=None),
        tile("temperature", "", "Cel", absent="no_device"),
        tile("hba1c", "", "%", absent="no_device"),
        tile("who5", "", "{score}", absent="not_answered"),
    )


def views(language: str) -> dict[str, View]:
    """Every screen by its name."""
    t = WORDS[language]
    clinic = {"en": "Moyka Clinic", "ru": "Клиника на Мойке"}[language]
    base = View("welcome", language, simulated=False, online=True, clinic=clinic)
    with_ = msgspec.structs.replace

    def at(step: int, screen: Screen, **more: object) -> View:
        return with_(base, screen=screen, step=step, steps=11, **more)

    offers = tuple(
        Offer(each.id, protocols.said(each.title, language), protocols.said(each.about, language), each.minutes)
        for each in sorted(protocols.listed().values(), key=lambda one: one.minutes)
    )
    text = next(str(each["text"]) for each in consent.FIRST if each["language"] == language)
    purposes = ("measure", "store", "share", "research", "talk")
    asked = questionnaires.listed()["findrisc"]

    def question(number: int) -> Question:
        item = asked.items[number - 1]
        scale = next(each for each in asked.scales if each.name == item.scale)
        options = tuple(Option(each.value, getattr(each.text, language)) for each in scale.options)
        note = t["questionnaire.ours"] if language == "ru" else ""
        return Question(getattr(asked.title, language), getattr(asked.instruction, language) if number == 1 else "",
                        item.id, getattr(item.text, language), options, number, len(asked.items), None,
                        note)  # fmt: skip

    def measuring(mark: str, seconds: float, left: float, **rates: float) -> Measuring:
        return Measuring(mark, "", seconds, left, rates)

    link = "https://clinic.example/r/7fd1c2a09b"
    qr = segno.make(link, micro=False)
    border, matrix = 4, qr.matrix
    dark = [(x + border, y + border) for y, row in enumerate(matrix) for x, each in enumerate(row) if each]
    path = "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)
    outcome = Outcome("ready", tiles(language), "K7-4QX-92", link, path, len(matrix) + 2 * border, 15)
    talk = (
        ("assistant", {"en": "Good to see you. How are you today?", "ru": "Рад вас видеть. Как вы сегодня?"}),
        ("visitor", {"en": "A little tired, I slept badly.", "ru": "Немного устал, плохо спал."}),
        ("assistant", {"en": "Thank you for telling me. A short night often shows in the pulse: it beats a little"
                             " faster and more evenly. Would you like to know what helps to rest?",
                       "ru": "Спасибо, что рассказали. Короткая ночь часто видна по пульсу: он чуть чаще и ровнее."
                             " Хотите узнать, что помогает отдохнуть?"}),
    )  # fmt: skip
    lines = tuple(SpeechLine(who, said[language]) for who, said in talk)  # type: ignore[arg-type]
    return {
        "welcome": with_(base, offers=offers),
        "consent": at(1, "consent", consent=Consent(consent.VERSION, text, purposes)),
        "check_in": at(2, "check_in", code="K7-4QX-92"),
        "position": at(3, "position"),
        "electrodes": at(4, "electrodes", contacts=(
            Contact("ecg", "amplifier", "good"), Contact("ppg", "amplifier", "noisy"),
            Contact("eeg", "headband", "flat"), Contact("respiration", "belt", "good"))),
        "measure": at(5, "measure", measuring=measuring("rest", 60, 38, heart_rate=66.4, respiration_rate=14.2)),
        "measure_open": at(6, "measure", simulated=True, measuring=measuring("eyes_open", 60, 42),
                           contacts=(Contact("eeg", "headband", "flat"),)),
        "measure_closed": at(7, "measure", measuring=measuring("eyes_closed", 60, 51, heart_rate=63.1)),
        "measure_speech": at(8, "measure", online=False, measuring=measuring("speech", 25, 12)),
        "spot": at(8, "spot", spots=(Spot("systolic", 124), Spot("diastolic", 78),
                                     *(Spot(each, None) for each in ("spo2", "temperature", "weight")))),
        "questionnaire": at(9, "questionnaire", question=question(1)),
        "questionnaire_long": at(9, "questionnaire", question=question(3)),
        "conversation": at(10, "conversation", talk=lines),
        "results": at(11, "results", simulated=True, outcome=outcome),
        "results_warned": at(11, "results", talk=lines, outcome=with_(outcome, warning=warning(
            Facts((Value("systolic", 186.0), Value("spo2", 89.0))), language, "112"))),
        "results_working": at(11, "results", outcome=Outcome("working")),
        "results_follow": at(11, "results", online=False, outcome=Outcome("follow", code="K7-4QX-92")),
        "results_refused": at(11, "results", outcome=Outcome("refused")),
        "leaving": at(5, "measure", measuring=measuring("rest", 60, 20), leaving=14),
        "goodbye": with_(base, screen="goodbye"),
        "trouble": with_(base, screen="trouble", trouble="no_devices"),
    }  # fmt: skip

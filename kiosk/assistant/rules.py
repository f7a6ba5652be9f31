"""The assistant that works by rules: no network, no model, the same answer to the same question."""

from collections.abc import AsyncIterator, Iterable, Sequence

from kiosk.assistant import Audience, Facts, Spoken
from kiosk.assistant.flags import LEAST_QUALITY, flags
from kiosk.assistant.perspectives import weights
from kiosk.assistant.understanding import WORDS, feelings, intents, measures
from kiosk.measures import MEASURES
from kiosk.messages import Shown
from kiosk.visitor import WORDS as VISITOR
from kiosk.wording import SOURCE, number

QUESTIONS = ("talk.q1", "talk.q2", "talk.q3")
PRESSURE = ("systolic", "diastolic")
TOLD = ("heart_rate", "rmssd", "sdnn", "pnn50", "stress", "respiration_rate", *PRESSURE, "spo2", "temperature", "bmi",
        "findrisc", "hba1c")  # fmt: skip
"""What an overview tells, in this order."""
LIMITS = ("diagnosis", "medicine", "delete", "privacy", "machine", "doctor", "method", "advice")
"""Answered by one text each; the first that is meant, where no value was asked for."""
MOST_EXPLAINED = 2


class RuleAssistant:
    """Understands stems of words, and says sentences of its catalogue with the facts put in."""

    def __init__(self, emergency: str = "112") -> None:
        self._emergency = emergency

    async def reply(
        self, talk: Sequence[Spoken], facts: Facts, language: str, audience: Audience = "visitor"
    ) -> AsyncIterator[str]:
        """The answer, sentence by sentence."""
        for place, sentence in enumerate(self.sentences(talk, facts, language, audience)):
            yield f" {sentence}" if place else sentence

    def sentences(
        self, talk: Sequence[Spoken], facts: Facts, language: str, audience: Audience = "visitor"
    ) -> list[str]:
        """The answer."""
        says = _Speech(language, facts, self._emergency)
        asked = talk[-1].text if talk else ""
        meant = intents(asked, says.language)
        # whoever is in danger is answered first, whatever else they asked, and whoever asks
        danger = [says(f"red.{name}", number=self._emergency) for name in ("harm", "emergency") if name in meant]
        if danger:
            return danger
        if audience == "clinician":
            return says.to_clinician(asked, meant)
        if facts.stage == "talk":
            return says.listening(talk, meant)
        warning = says.warning()
        return ([] if _already(talk, warning) else warning) + says.about_results(asked, meant)


def _already(talk: Sequence[Spoken], warning: list[str]) -> bool:
    return bool(warning) and any(line.who == "assistant" and warning[0] in line.text for line in talk)


def warning(facts: Facts, language: str, emergency: str) -> str:
    """What stands above results where a value must not wait; empty where none does."""
    return " ".join(_Speech(language, facts, emergency).warning())


class _Speech:
    """One answer: facts in words of one language."""

    def __init__(self, language: str, facts: Facts, emergency: str) -> None:
        self.language = language if language in WORDS else SOURCE
        self._words, self._visitor = WORDS[self.language], VISITOR.get(language, VISITOR[SOURCE])
        self._facts, self._emergency = facts, emergency
        self._by_measure = {each.measure: each for each in facts.values}

    def __call__(self, key: str, **values: object) -> str:
        text = self._words[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def warning(self) -> list[str]:
        """What must be looked at soon, before anything else."""
        red = flags(self._facts.values)
        if not red:
            return []
        named = ", ".join(self(f"red.measure.{name}", value=self._written(self._by_measure[name])) for name in red)
        return [self("red.flag", measures=named, number=self._emergency)]

    def listening(self, talk: Sequence[Spoken], meant: Iterable[str]) -> list[str]:
        """Before the results: the assistant asks, the loudest perspectives take up what is said."""
        answered = sum(line.who == "visitor" for line in talk)
        if not answered:
            mood = next(iter(weights(self._facts.values)), "calm")
            return [self("say.greeting").split(".")[0] + ".", self(f"state.{mood}"), self(QUESTIONS[0])]
        last = talk[-1].text
        limit = next((name for name in LIMITS if name in meant and name not in ("advice", "doctor")), None)
        if limit is not None:
            heard = [self(f"say.{limit}", number=self._emergency)]
        else:
            named = feelings(last, self.language)
            loud = weights(self._facts.values, named)
            kind = named[0] if named else None
            heard = [self(f"hears.{kind or 'nothing'}")]
            # a second perspective says a word where what was measured does not go with what was said
            second = next((name for name in loud if kind is not None and name != kind), None)
            if second in ("fear", "sadness") and kind == "joy":
                heard.append(self(f"state.{second}"))
        following = QUESTIONS[answered] if answered < len(QUESTIONS) else "talk.close"
        return [*heard, self(following)] if answered <= len(QUESTIONS) else heard

    def about_results(self, asked: str, meant: Sequence[str]) -> list[str]:
        """What somebody wanted to know of the results."""
        simulated = [self("say.simulated")] if self._facts.simulated and not asked else []
        if not asked:
            return [self("say.hello_results" if self._facts.values else "say.hello_empty"), *simulated]
        named = measures(asked, self.language)
        if "missing" in meant and not named:
            return [self._missing()]
        for limit in ("diagnosis", "medicine", "delete"):
            if limit in meant:
                return [self(f"say.{limit}", number=self._emergency)]
        if named:
            return [sentence for name in named[:MOST_EXPLAINED] for sentence in self._explained(name)]
        limits = [name for name in LIMITS if name in meant]
        if limits:
            return [self(f"say.{limits[0]}", number=self._emergency)]
        if "overview" in meant:
            return self._overview()
        for manner in ("thanks", "greeting"):
            if manner in meant:
                return [self(f"say.{manner}")]
        return [self("say.unknown")]

    def to_clinician(self, asked: str, meant: Sequence[str]) -> list[str]:
        """Terse: numbers with their doubt, source and what is usual."""
        red = flags(self._facts.values)
        told = [self("clinician.flags", measures=", ".join(self._line(self._by_measure[name]) for name in red))]
        told = told if red else []
        if not asked:
            return [*told, self("clinician.hello")]
        if "missing" in meant:
            return [self._missing()]
        if "diagnosis" in meant or "medicine" in meant:
            return [self("say.diagnosis")]
        wanted = [
            part
            for name in measures(asked, self.language)
            for part in (PRESSURE if name == "blood_pressure" else [name])
        ]
        wanted = wanted or (list(TOLD) if "overview" in meant else [])
        lines = [self._line(self._by_measure[name]) for name in wanted if name in self._by_measure]
        more = [self(f"more.{name}") for name in measures(asked, self.language) if "method" in meant]
        if lines:
            return [*told, "; ".join(lines) + ".", *more]
        if wanted:
            return [self("say.nothing")]
        return [self("say.method") if "method" in meant else self("say.unknown")]

    # ---- of one value

    def _explained(self, name: str) -> list[str]:
        more = [self(f"more.{name}")]
        if name == "emotion":
            return more
        parts = [self._by_measure[each] for each in (PRESSURE if name == "blood_pressure" else (name,))
                 if each in self._by_measure]  # fmt: skip
        if not parts:
            return [self("say.nothing"), *more]
        there = [each for each in parts if each.value is not None]
        if not there:
            return [self("value.absent", name=self._named(name), why=self._why(parts[0])), *more]
        value = "/".join(self._number(each) for each in there) + self._unit(there[0])
        told = [self("value.is", name=self._named(name), value=value), *more]
        first = there[0]
        if len(there) == 1:
            if first.low is not None and first.high is not None:
                low, high = (number(each, self._decimals(first), self.language) for each in (first.low, first.high))
                told.append(self("value.interval", low=low, high=high))
            told += self._against_usual(first)
        if first.quality is not None and first.quality < LEAST_QUALITY:
            told.append(self("value.doubtful"))
        return told

    def _against_usual(self, shown: Shown) -> list[str]:
        if shown.usual is None or shown.value is None:
            return []
        low, high = shown.usual
        where = "below" if shown.value < low else "above" if shown.value > high else "within"
        written = [number(each, self._decimals(shown), self.language) for each in shown.usual]
        told = [self(f"value.usual.{where}", low=written[0], high=written[1])]
        return told if where == "within" else [*told, self("value.usual.alone")]

    def _overview(self) -> list[str]:
        there = [self._by_measure[name] for name in TOLD if name in self._by_measure]
        told = [f"{self._named(each.measure)} {self._written(each)}" for each in there if each.value is not None]
        if not told:
            return [self("say.nothing")]
        return [self("say.overview", list=", ".join(told).rstrip(".")), self("say.overview_close")]

    def _missing(self) -> str:
        absent = [each for each in self._facts.values if each.absent is not None]
        if not absent:
            return self("say.none_missing")
        told = [f"{self._named(each.measure)} ({self._why(each).rstrip('.')})" for each in absent[:8]]
        return self("say.missing", list="; ".join(told))

    def _line(self, shown: Shown) -> str:
        if shown.value is None:
            return self("value.absent", name=self._named(shown.measure), why=self._why(shown)).rstrip(".")
        decimals = self._decimals(shown)
        interval = usual = quality = source = ""
        if shown.low is not None and shown.high is not None:
            low, high = (number(each, decimals, self.language) for each in (shown.low, shown.high))
            interval = self("clinician.interval", low=low, high=high)
        if shown.usual is not None:
            low, high = (number(each, decimals, self.language) for each in shown.usual)
            usual = self("clinician.usual", low=low, high=high, source=shown.usual_source or "-")
        if shown.quality is not None:
            quality = self("clinician.quality", percent=round(100 * shown.quality))
        if shown.source:
            source = self("clinician.source", source=shown.source)
        return self("clinician.line", name=self._named(shown.measure), value=self._written(shown), interval=interval,
                    usual=usual, quality=quality, source=source)  # fmt: skip

    def _named(self, name: str) -> str:
        return self._words.get(f"name.{name}") or self._visitor.get(f"tile.{name}.name") or MEASURES[name].title

    def _why(self, shown: Shown) -> str:
        return self._visitor.get(f"absent.{shown.absent}", "")

    def _written(self, shown: Shown) -> str:
        return self._number(shown) + self._unit(shown)

    def _number(self, shown: Shown) -> str:
        assert shown.value is not None
        return number(shown.value, self._decimals(shown), self.language)

    def _decimals(self, shown: Shown) -> int:
        return MEASURES[shown.measure].decimals

    def _unit(self, shown: Shown) -> str:
        unit = MEASURES[shown.measure].unit
        written = self._visitor.get(f"unit.{unit}", "" if unit == "1" else unit)
        return f" {written}" if written else ""

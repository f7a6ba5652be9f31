"""What no assistant may say, whoever wrote it: a sentence that crosses a line is not shown.

A language model can be talked into anything, by its visitor or by a text that it is handed. So its words are looked at
sentence by sentence before they are shown. The patterns are wide: a harmless sentence lost costs little.
"""

import re
from collections.abc import Iterator

from kiosk.assistant.understanding import normal

MOST_ANSWER = 2000
"""Letters of an answer; what is longer is cut at a sentence."""
MOST_SENTENCE = 600
RUN, LEAST_RUN = 8, 3
"""Words in a row that repeat what was told in confidence; a whole sentence may be shorter, two words say nothing."""
_END = re.compile(r"(?<=[.!?…])[\"»”)]*\s+|\n+")
_ILLNESS = (
    "disease|disorder|syndrome|infarction|failure|arrhythmia|fibrillation|hypertension|diabetes|depression|cancer"
    "|infection|apnea|burnout|stroke|ischemia"
)
_BOLEZN = (
    "болезнь|заболевание|синдром|инфаркт|аритмия|фибрилляция|гипертония|гипертензия|диабет|депрессия|рак|инфекция"
    "|выгорание|инсульт|ишемия|расстройство"
)
_MEDICINE = "medication|medicine|pills?|tablets?|dose|aspirin|ibuprofen|beta.?blockers?|insulin|metformin|statins?"
_LEKARSTVO = "препарат|лекарств|таблетк|доз|аспирин|инсулин|метформин|статин|антидепрессант"
_DIAGNOSIS = (
    rf"\byou (?:\w+ly |may |might )?(?:have|suffer from|show signs of) (?:an? )?(?:\w+ ){{0,3}}(?:{_ILLNESS})",
    rf"\byou are suffering from (?:\w+ ){{0,3}}(?:{_ILLNESS})",
    r"\byou (?:are|seem) (?:\w+ly )?(?:healthy|diabetic|hypertensive|depressed|not ill|not sick)\b",
    r"\b(?:my|the) diagnosis (?:is|would be)\b|\bi diagnose\b",
    r"\bno need to see (?:a|your) doctor\b|\byou do(?: not|n't) need a doctor\b",
    rf"\bу вас (?:\w+ ){{0,4}}(?:{_BOLEZN})",
    r"\bвы (?:\w+ )?(?:здоровы|больны)\b|\bмой диагноз\b|\bдиагноз:|\bк врачу (?:идти )?не (?:нужно|надо)\b",
)
"""Named, or denied."""
_TREATMENT = (
    r"\b\d+(?:[.,]\d+)? ?(?:mg|milligram|mcg|µg|мг|мкг|ml|мл)\b",
    rf"\b(?:take|stop taking|increase|reduce|double) (?:your |the |an? )?(?:\w+ )?(?:{_MEDICINE}|antidepressants?)",
    rf"\b(?:принимайте|примите|прекратите принимать|увеличьте|уменьшите|отмените) (?:\w+ )?(?:{_LEKARSTVO})",
)
_WAYS_OUT = (r"https?://|www\.|<\s*/?\s*[a-z!]|\]\s*\(|javascript:|data:[a-z]+/",)
"""Of the page: addresses, markup."""
_LINES = tuple(map(re.compile, (*_DIAGNOSIS, *_TREATMENT, *_WAYS_OUT)))


def allowed(sentence: str, secrets: tuple[str, ...] = ()) -> bool:
    """Whether a sentence may be shown. `secrets` are what was told in confidence."""
    if len(sentence) > MOST_SENTENCE:
        return False
    plain = normal(sentence, MOST_SENTENCE)
    if any(line.search(plain) for line in _LINES):
        return False
    words = re.findall(r"\w+", plain)
    length = min(len(words), RUN)
    if length < LEAST_RUN:
        return True
    return not any(
        _runs(words, length) & _runs(re.findall(r"\w+", normal(told, len(told))), length) for told in secrets
    )


def _runs(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[begin : begin + length]) for begin in range(len(words) - length + 1)}


class Sentences:
    """Pieces in, whole sentences out."""

    def __init__(self) -> None:
        self._held = ""

    def put(self, piece: str) -> Iterator[str]:
        """The sentences that are whole now."""
        self._held += piece
        while (found := _END.search(self._held)) is not None:
            sentence, self._held = self._held[: found.start()].strip(), self._held[found.end() :]
            if sentence:
                yield sentence
        if len(self._held) > MOST_SENTENCE:
            # no sentence of ours is so long: it is handed out to be refused
            sentence, self._held = self._held, ""
            yield sentence

    def rest(self) -> str:
        """What is left when nothing more comes."""
        held, self._held = self._held.strip(), ""
        return held

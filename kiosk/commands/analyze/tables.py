"""An answer for people: what was found, by what it is about, in lines that fit eighty columns."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analytics.session import FinalReading
from kiosk.commands.analyze.job import Answer
from kiosk.commands.printable import printable
from kiosk.measures import BANDS, EXPRESSIONS, MEASURES, VOICE_EMOTIONS, Reason

GROUPS = (
    ("Heart", ("heart_rate", "mean_rr", "pauses", "irregular_rhythm", "ectopic_burden", "beats_corrected")),
    ("Variability: time", ("sdnn", "rmssd", "sdsd", "pnn50", "pnn20", "cvnn", "triangular_index", "stress_index")),
    ("Variability: frequency", ("total_power", "vlf_power", "lf_power", "hf_power", "lf_nu", "hf_nu", "lf_hf")),
    ("Variability: nonlinear", ("sd1", "sd2", "sd_ratio", "dfa_alpha1", "sample_entropy")),
    ("Breath", ("respiration_rate",)),
    ("Stress and affect", ("stress", "physiological_arousal", "arousal", "valence")),
    ("All together", tuple(f"emotion_{name}" for name in EXPRESSIONS)),
    ("Expression", (*(f"face_{name}" for name in EXPRESSIONS), "face_valence", "face_arousal")),
    ("Eyes", ("blink_rate", "blink_duration", "perclos", "gaze_aversion", "yawns")),
    ("Voice: emotion", (*(f"voice_{name}" for name in VOICE_EMOTIONS), "voice_valence", "voice_arousal")),
    (
        "Voice: speech",
        ("speech_share", "speech_rate", "speech_pause", "vocal_effort", "voice_pitch", "voice_pitch_range",
         "voice_jitter", "voice_shimmer", "voice_hnr"),
    ),
    ("Brain: power", (*(f"eeg_{band}" for band in BANDS), *(f"eeg_{band}_relative" for band in BANDS))),
    (
        "Brain: state",
        ("eeg_alpha_peak", "eeg_exponent", "eeg_asymmetry", "eeg_theta_beta", "eeg_engagement", "eeg_slowing",
         "eeg_eyes_contrast"),
    ),
    (
        "Brain: shape",
        ("eeg_activity", "eeg_mobility", "eeg_complexity", *(f"eeg_{band}_entropy" for band in BANDS), "eeg_usable"),
    ),
)  # fmt: skip
OTHERS = "Others"
SHORTER: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "All together": (
            "how somebody appears by face and voice together, not what was felt",
            "каким человек кажется по лицу и голосу вместе, а не то, что он чувствует",
        ),
        "Expression": (
            "what the face showed, not what was felt",
            "что показало лицо, а не то, что человек чувствует",
        ),
        "Voice: emotion": (
            "how it sounded to a network that learnt from actors, not what was felt",
            "как это прозвучало для сети, обученной на актёрах, а не то, что человек чувствует",
        ),
        "Brain: state": (
            "each of the channels that its note names in --json",
            "по каналам, названным в примечаниях (--json)",
        ),
        "Brain: shape": ("of the same channels as the powers", "по тем же каналам, что и мощности"),
    }
)
"""One line for a whole group, whose notes are many and alike; JSON has them all."""
REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        "too_short": "too little signal for it",
        "noisy": "too noisy",
        "flat": "the signal is flat",
        "saturated": "the signal exceeds the sensor's range",
        "unsuitable_rate": "the sampling rate does not allow it",
        "impossible": "what came out is physically impossible",
        "no_face": "no face is in view",
        "no_trained_model": "no trained network is installed",
        "not_delivered": "the signal never came",
        "analysis_failed": "the analysis failed",
        "too_many_corrected": "too many beats had to be corrected",
        "irregular": "the rhythm is irregular",
        "insufficient": "too little evidence",
        "no_reference": "nothing to compare with",
        "too_dark": "the face is too dark",
        "moving": "the head moves too much",
        "too_far": "the face is too far away",
        "no_speech": "nobody speaks",
        "too_quiet": "the voice is too quiet",
        "unfamiliar": "unlike the speech that the network knows",
        "missing_channels": "the channels that it needs are missing",
        "not_present": "there is none",
    }
)
"""Why there is no number, in words."""
UNITS: Mapping[str, str] = MappingProxyType(
    {"1": "", "mm[Hg]": "mmHg", "Cel": "°C", "ms2": "ms²", "uV2": "µV²", "{semitone}": "st", "{nat}": "nats"}
)
"""UCUM as people write it."""
WIDTH = 100
"""Columns that are used of a wider terminal: further apart a line is hard to follow."""


class Tables:
    """A table a recording."""

    def __init__(self, language: str = "en") -> None:
        self._russian = language == "ru"
        console = Console()
        self._console = Console(width=min(console.width, WIDTH)) if console.width > WIDTH else console
        self._any = False

    def show(self, answer: Answer) -> None:
        """The next table."""
        if self._any:
            self._console.print()
        self._any = True
        self._console.print(Text(printable(str(answer.json["file"])), style="bold", overflow="fold"))
        for line in about(answer):
            self._line(line)
        head = True
        for title, readings in groups(answer.result.readings):
            valued = [reading for reading in readings if reading.value is not None]
            self._values(title, valued, head=head)
            head = head and not valued
            for cause, titles in absent(readings, answer.result.source):
                self._line(f"{titles}: {cause}")
        if answer.figure is not None:
            self._line(f"figure: {answer.figure}")

    def _values(self, title: str, readings: Sequence[FinalReading], *, head: bool) -> None:
        """A group under its title; the first says what the columns are."""
        names = ("value", "", "95 % interval", "quality") if head and readings else ("", "", "", "")
        table = Table(box=None, show_header=False, padding=0, pad_edge=False)
        for width, side in ((38, "left"), (9, "right"), (7, "left"), (16, "left"), (8, "right")):
            table.add_column(width=width, justify="right" if side == "right" else "left")
        table.add_row(Text(title, style="bold cyan"), *(Text(name, style="dim") for name in names))
        for reading in readings:
            measure = MEASURES[reading.measure]
            decimals = measure.decimals
            bounds = "" if reading.low is None else f"{reading.low:z.{decimals}f} .. {reading.high:z.{decimals}f}"
            quality = "" if reading.quality is None else f"{reading.quality:.2f}"
            unit = UNITS.get(measure.unit, measure.unit)
            source = "" if reading.preferred else f", from {reading.source}"
            name = Text(f"  {measure.title}{source}", style="" if reading.preferred else "dim")
            table.add_row(name, f"{reading.value:z.{decimals}f}", f" {unit}", bounds, Text(quality, style="dim"))
        self._console.print(table)
        notes = [(each.note_ru if self._russian else "") or each.note for each in readings]
        if title in SHORTER and readings:
            notes = [SHORTER[title][self._russian]]
        for note in dict.fromkeys(notes):
            if note:
                self._line(note)

    def _line(self, text: str) -> None:
        self._console.print(Padding(Text(printable(text), style="dim"), (0, 0, 0, 2), expand=False))


def about(answer: Answer) -> Iterator[str]:
    """What was read, what was found in it, what was assumed, and how the numbers were made."""
    result, rate, kind = answer.result, answer.json["rate"], answer.json["kind"]
    parts = [duration(answer.json["duration"])]
    if isinstance(rate, float):
        parts.append(f"{rate:g} Hz")
    signals = "; ".join(answer.channels) if answer.channels else str(kind)
    yield f"{signals} · {' · '.join(parts)}"
    if result.beats:
        counts = [f"{len(result.beats)} beats from {result.source}"]
        for count, what in (
            (len(result.corrected), "corrected"), (len(result.removed), "removed"), (len(result.ectopic), "ectopic")
        ):  # fmt: skip
            counts += [f"{count} {what}"] if count else []
        counts += [f"{len(result.events)} marks"] if result.events else []
        yield ", ".join(counts)
    assumed = answer.json["assumed"]
    assert isinstance(assumed, dict)
    guesses = [f"{what} {value}" for what, value in assumed.items() if what != "not read"]
    if guesses:
        yield f"assumed: {'; '.join(guesses)}"
    if "not read" in assumed:
        yield f"not read: {assumed['not read']}"
    # which belongs to which value the JSON tells
    methods = dict.fromkeys(
        part for reading in result.readings if reading.preferred for part in reading.method.split("+")
    )
    if methods:
        yield f"methods: {', '.join(methods)}"


def groups(readings: Sequence[FinalReading]) -> Iterator[tuple[str, list[FinalReading]]]:
    """The readings by what they are about, each under one title."""
    known = {name for _, names in GROUPS for name in names}
    rest = tuple(dict.fromkeys(reading.measure for reading in readings if reading.measure not in known))
    for title, names in (*GROUPS, (OTHERS, rest)):
        found = sorted(
            (reading for reading in readings if reading.measure in names), key=lambda each: names.index(each.measure)
        )
        if found:
            yield title, found


def absent(readings: Sequence[FinalReading], source: str) -> Iterator[tuple[str, str]]:
    """Causes, and the measures that are absent for each, with their source where that is another."""
    causes: dict[tuple[str, str], list[str]] = {}
    for reading in readings:
        if reading.value is None:
            cause = REASONS[reading.absent or "analysis_failed"]
            causes.setdefault((cause, reading.source), []).append(MEASURES[reading.measure].title)
    for (cause, other), titles in causes.items():
        # what they all are about is said once
        about = {title.partition(": ")[0] for title in titles}
        alike = len(titles) > 1 and len(about) == 1 and all(": " in title for title in titles)
        named = [title.partition(": ")[2] if alike and i else title for i, title in enumerate(titles)]
        yield cause, "; ".join(named) + (f" ({other})" if other != source else "")


def duration(seconds: object) -> str:
    """`5 min 0 s`."""
    assert isinstance(seconds, float | int)
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"

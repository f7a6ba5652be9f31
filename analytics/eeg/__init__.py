"""What the electroencephalogram shows: powers of its bands, their ratios, alpha's peak. A screen, no diagnosis."""

from analytics.eeg.lids import Lids, lids, marked
from analytics.eeg.live import LiveEeg
from analytics.eeg.record import MEASURED, Answer, Course, Spectrum, answers, course, eyes_contrast, spectrum
from analytics.eeg.whole import Analysed, analysed

__all__ = [
    "MEASURED", "Analysed", "Answer", "Course", "Lids", "LiveEeg", "Spectrum", "analysed", "answers", "course",
    "eyes_contrast", "lids", "marked", "spectrum",
]  # fmt: skip

"""Late fusion of face, voice, heart, skin and brain: any subset, weighed by quality, explained in words."""

from analytics.fusion.opinions import Feature, Modality, Opinion
from analytics.fusion.record import EXPRESSED, OF_BODY, Answer, Heard, answers, coverage
from analytics.fusion.together import METHOD, Fused, fused

__all__ = [
    "EXPRESSED", "METHOD", "OF_BODY", "Answer", "Feature", "Fused", "Heard", "Modality", "Opinion", "answers",
    "coverage", "fused",
]  # fmt: skip

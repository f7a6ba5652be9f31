"""What a face shows: expressions, valence and arousal; blinks, closed eyes, yawns and where it looks."""

from analytics.face.live import LiveExpression, LiveUnits
from analytics.face.record import EXPRESSION, GAZE, LIDS_AND_JAW, Answer, answers, devices

__all__ = ["EXPRESSION", "GAZE", "LIDS_AND_JAW", "Answer", "LiveExpression", "LiveUnits", "answers", "devices"]

"""What a voice tells: emotions as a network heard them, valence and arousal, and how was spoken."""

from analytics.voice.live import LiveEmotion, LiveVoice
from analytics.voice.prosody import PROSODY
from analytics.voice.record import FEELING, Answer, answers, devices

__all__ = ["FEELING", "PROSODY", "Answer", "LiveEmotion", "LiveVoice", "answers", "devices"]

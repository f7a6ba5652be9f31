"""Numbers: one row of a frozen table each - unit (UCUM), decimals, what is possible, and its code.

LOINC has codes for vital signs and for SDNN; where it has none the code is ours, in our own code system.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

LOINC = "http://loinc.org"
OWN = "https://health-kiosk.example/codes"

Reason = Literal[
    "too_short",
    "noisy",
    "flat",
    "saturated",
    "unsuitable_rate",
    "impossible",
    "no_face",
    "no_trained_model",
    "not_delivered",
    "analysis_failed",
    "too_many_corrected",
    "irregular",
    "insufficient",
    "no_reference",
    "too_dark",
    "moving",
    "too_far",
    "no_speech",
    "too_quiet",
    "unfamiliar",
    "missing_channels",
    "not_present",
]
"""Why we give no number. Devices may have reasons of their own."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number is: `low` and `high` bound what is physically possible, not what is healthy."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    decimals: int
    loinc: str | None = None

    @property
    def code(self) -> tuple[str, str]:
        """Code system and code."""
        return (LOINC, self.loinc) if self.loinc else (OWN, self.name)

    def possible(self, value: float) -> bool:
        """Whether the quantity can have this value at all."""
        return self.low <= value <= self.high


BANDS = ("delta", "theta", "alpha", "beta", "gamma")
"""Of the electroencephalogram; `analytics/eeg` has their limits."""
VOICE_EMOTIONS = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "boredom", "surprise", "calm")
"""That a voice network may know; those that it was not trained on are absent."""
EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "anger", "fear", "disgust", "contempt")

_ROWS = (
    Measure("heart_rate", "Heart rate", "/min", 15, 350, 0, "8867-4"),
    Measure("mean_rr", "Mean beat interval", "ms", 170, 4000, 0),
    Measure("sdnn", "SDNN", "ms", 0, 1000, 1, "80404-7"),
    Measure("rmssd", "RMSSD", "ms", 0, 2000, 1),
    Measure("pnn50", "pNN50", "%", 0, 100, 1),
    Measure("sdsd", "SDSD", "ms", 0, 2000, 1),
    Measure("pnn20", "pNN20", "%", 0, 100, 1),
    Measure("cvnn", "CVNN", "%", 0, 100, 1),
    Measure("triangular_index", "HRV triangular index", "1", 1, 1000, 1),
    Measure("total_power", "Total power of HRV", "ms2", 0, 1e6, 0),
    Measure("vlf_power", "Very-low-frequency power", "ms2", 0, 1e6, 0),
    Measure("lf_power", "Low-frequency power", "ms2", 0, 1e6, 0),
    Measure("hf_power", "High-frequency power", "ms2", 0, 1e6, 0),
    Measure("lf_nu", "LF, normalised", "%", 0, 100, 1),
    Measure("hf_nu", "HF, normalised", "%", 0, 100, 1),
    Measure("lf_hf", "LF/HF", "1", 0, 1000, 2),
    Measure("sd1", "Poincare SD1", "ms", 0, 1500, 1),
    Measure("sd2", "Poincare SD2", "ms", 0, 1500, 1),
    Measure("sd_ratio", "Poincare SD2/SD1", "1", 0, 1000, 2),
    Measure("dfa_alpha1", "DFA alpha1", "1", -1, 3, 2),
    Measure("sample_entropy", "Sample entropy", "1", 0, 10, 2),
    Measure("stress_index", "Baevsky stress index (square root)", "1", 0, 1000, 1),
    Measure("beats_corrected", "Beats corrected", "%", 0, 100, 1),
    Measure("ectopic_burden", "Ectopic beats", "%", 0, 100, 1),
    Measure("pauses", "Pauses of 2 s and more", "1", 0, 1e6, 0),
    Measure("irregular_rhythm", "Irregular rhythm (1: noticed)", "1", 0, 1, 0),
    Measure("respiration_rate", "Respiration rate", "/min", 1, 120, 0, "9279-1"),
    Measure("eda_slope", "Drift of skin conductance", "%/min", -200, 200, 0),
    Measure("eda_peaks", "Skin conductance responses", "/min", 0, 60, 1),
    Measure("skin_temperature_slope", "Drift of skin temperature", "Cel/min", -5, 5, 2),
    Measure("stress", "Stress", "1", 0, 100, 0),
    Measure("physiological_arousal", "Physiological arousal", "1", -1, 1, 2),
    Measure("arousal", "Arousal", "1", -1, 1, 2),
    Measure("valence", "Valence", "1", -1, 1, 2),
    Measure("systolic", "Systolic blood pressure", "mm[Hg]", 30, 300, 0, "8480-6"),
    Measure("diastolic", "Diastolic blood pressure", "mm[Hg]", 10, 200, 0, "8462-4"),
    Measure("spo2", "Oxygen saturation by pulse oximetry", "%", 0, 100, 0, "59408-5"),
    Measure("temperature", "Body temperature", "Cel", 20, 45, 1, "8310-5"),
    Measure("weight", "Body weight", "kg", 0.5, 500, 1, "29463-7"),
    Measure("height", "Body height", "cm", 20, 275, 0, "8302-2"),
    Measure("bmi", "Body mass index", "kg/m2", 5, 200, 1, "39156-5"),
    Measure("hba1c", "HbA1c", "%", 2, 25, 1, "4548-4"),
    *(Measure(f"face_{name}", f"Face: {name}", "1", 0, 1, 2) for name in EXPRESSIONS),
    Measure("face_valence", "Face: valence", "1", -1, 1, 2),
    Measure("face_arousal", "Face: arousal", "1", -1, 1, 2),
    Measure("blink_rate", "Blinks", "/min", 0, 120, 0),
    Measure("blink_duration", "Blink duration", "ms", 20, 5000, 0),
    Measure("perclos", "Eyes closed (PERCLOS)", "%", 0, 100, 1),
    Measure("gaze_aversion", "Gaze away from the screen", "%", 0, 100, 1),
    Measure("yawns", "Yawns", "1", 0, 1e4, 0),
    *(Measure(f"voice_{name}", f"Voice: {name}", "1", 0, 1, 2) for name in VOICE_EMOTIONS),
    Measure("voice_valence", "Voice: valence", "1", -1, 1, 2),
    Measure("voice_arousal", "Voice: arousal", "1", -1, 1, 2),
    Measure("vocal_effort", "Vocal effort", "dB", -60, 60, 1),
    Measure("speech_share", "Share of the time spoken", "%", 0, 100, 0),
    Measure("speech_rate", "Syllables per second of speech", "/s", 0, 15, 1),
    Measure("speech_pause", "Mean pause in speech", "s", 0, 600, 2),
    Measure("voice_pitch", "Pitch of the voice (median)", "Hz", 30, 1500, 0),
    Measure("voice_pitch_range", "Range of the pitch", "{semitone}", 0, 60, 1),
    Measure("voice_jitter", "Jitter", "%", 0, 50, 2),
    Measure("voice_shimmer", "Shimmer", "%", 0, 100, 1),
    Measure("voice_hnr", "Harmonics to noise", "dB", -20, 60, 1),
    *(Measure(f"eeg_{band}", f"EEG: {band} power", "uV2", 0, 1e8, 2) for band in BANDS),
    *(Measure(f"eeg_{band}_relative", f"EEG: {band}, share of the power", "1", 0, 1, 3) for band in BANDS),
    *(Measure(f"eeg_{band}_entropy", f"EEG: {band}, differential entropy", "{nat}", -20, 20, 2) for band in BANDS),
    Measure("eeg_alpha_peak", "EEG: alpha peak", "Hz", 6, 14, 1),
    Measure("eeg_exponent", "EEG: aperiodic exponent", "1", -2, 8, 2),
    Measure("eeg_asymmetry", "EEG: frontal alpha asymmetry", "1", -10, 10, 2),
    Measure("eeg_theta_beta", "EEG: theta/beta", "1", 0, 1000, 2),
    Measure("eeg_engagement", "EEG: engagement, beta/(alpha+theta)", "1", 0, 1000, 2),
    Measure("eeg_slowing", "EEG: slowing, theta/alpha", "1", 0, 1000, 2),
    Measure("eeg_eyes_contrast", "EEG: alpha, eyes closed over open", "1", 0, 1000, 2),
    Measure("eeg_activity", "EEG: Hjorth activity", "uV2", 0, 1e8, 1),
    Measure("eeg_mobility", "EEG: Hjorth mobility", "/s", 0, 1e4, 1),
    Measure("eeg_complexity", "EEG: Hjorth complexity", "1", 0, 100, 2),
    Measure("eeg_usable", "EEG: share that could be used", "%", 0, 100, 0),
    *(Measure(f"emotion_{name}", f"All together: {name}", "1", 0, 1, 2) for name in EXPRESSIONS),
    Measure("who5", "WHO-5 well-being", "{score}", 0, 100, 0),
    Measure("findrisc", "FINDRISC diabetes risk", "{score}", 0, 26, 0),
    Measure("phq2", "PHQ-2", "{score}", 0, 6, 0, "55758-7"),
    Measure("phq9", "PHQ-9", "{score}", 0, 27, 0, "44261-6"),
    Measure("cbi_personal", "Personal burnout (CBI)", "{score}", 0, 100, 0),
    Measure("cbi_work", "Work-related burnout (CBI)", "{score}", 0, 100, 0),
)

MEASURES: MappingProxyType[str, Measure] = MappingProxyType({row.name: row for row in _ROWS})

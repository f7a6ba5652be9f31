"""Heart rate variability: from corrected intervals to every measure, or the reason why there is none."""

from analytics.hrv.findings import MEASURED, findings
from analytics.hrv.nonlinear import dfa_alpha1, sample_entropy, sd1, sd2, sd_ratio, stress_index
from analytics.hrv.spectrum import Power, power
from analytics.hrv.time_domain import (
    cvnn,
    heart_rate,
    mean_rr,
    pnn20,
    pnn50,
    rmssd,
    sdnn,
    sdsd,
    triangular_index,
)

__all__ = [
    "MEASURED",
    "Power",
    "cvnn",
    "dfa_alpha1",
    "findings",
    "heart_rate",
    "mean_rr",
    "pnn20",
    "pnn50",
    "power",
    "rmssd",
    "sample_entropy",
    "sd1",
    "sd2",
    "sd_ratio",
    "sdnn",
    "sdsd",
    "stress_index",
    "triangular_index",
]

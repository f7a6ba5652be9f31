"""Signals as functions of the one heart, breath and movement."""

from collections.abc import Callable
from types import MappingProxyType

from sensors.drivers.simulated.waves.ecg import Ecg
from sensors.drivers.simulated.waves.eeg import Eeg
from sensors.drivers.simulated.waves.face import FaceMotion, FaceUnits
from sensors.drivers.simulated.waves.inside import Inside
from sensors.drivers.simulated.waves.ppg import Ppg
from sensors.drivers.simulated.waves.rgb import Rgb
from sensors.drivers.simulated.waves.slow import Acceleration, Eda, Respiration, SkinTemperature
from sensors.drivers.simulated.waves.wave import Wave

WAVES: MappingProxyType[str, Callable[[Inside], Wave]] = MappingProxyType(
    {
        "ecg": Ecg,
        "ppg": Ppg,
        "eeg": Eeg,
        "respiration": Respiration,
        "rgb": Rgb,
        "face_motion": FaceMotion,
        "face_units": FaceUnits,
        "eda": Eda,
        "skin_temperature": SkinTemperature,
        "acceleration": Acceleration,
    }
)
"""Names as in kiosk/signals.py."""

__all__ = ["WAVES", "Inside", "Wave"]

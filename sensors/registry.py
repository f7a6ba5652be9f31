"""Drivers by name. A name resolves to a function that makes the driver factories of one kind of kiosk device."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from kiosk.errors import BadSettings
from sensors.driver import DriverFactory

DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "brainflow": "sensors.drivers.brainflow.driver:brainflow",
        "camera": "sensors.drivers.camera.devices:camera",
        "lsl": "sensors.drivers.lsl.network:lsl",
        "microphone": "sensors.drivers.microphone.devices:microphone",
        "simulated": "sensors.drivers.simulated.driver:visitor",
        "replay": "sensors.drivers.replay:replay",
    }
)


def resolve(name: str) -> Callable[..., list[DriverFactory]]:
    """The maker of a driver's factories."""
    try:
        module, attribute = DRIVERS[name].split(":")
    except KeyError:
        raise BadSettings(f"no driver {name!r}; there are {', '.join(DRIVERS)}") from None
    return cast(Callable[..., list[DriverFactory]], getattr(import_module(module), attribute))

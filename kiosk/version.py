"""The version of what is running, as installed."""

from importlib.metadata import version

VERSION = version("health-kiosk")

"""A thin typed client of the REST API, for programs: `from api.client import Client`.

It needs nothing of the server: httpx, msgspec and numpy alone. docs/client.md has a worked example.
"""

from api.client.calls import Problem, Unreachable
from api.client.client import Client
from api.client.shapes import (
    Alert,
    Analysis,
    Patient,
    Point,
    Reading,
    Series,
    Session,
    SessionDetail,
    Stream,
    Trends,
    Waveform,
)

__all__ = [
    "Alert",
    "Analysis",
    "Client",
    "Patient",
    "Point",
    "Problem",
    "Reading",
    "Series",
    "Session",
    "SessionDetail",
    "Stream",
    "Trends",
    "Unreachable",
    "Waveform",
]

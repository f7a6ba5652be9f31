"""What one can ask the API for, by name."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from api.client.calls import Calls, Params, Problem
from api.client.shapes import Alert, Analysis, Patient, Reading, Session, SessionDetail, Trends, Waveform

Shape = TypeVar("Shape")
Files = Path | str | Iterable[Path | str]
SLOWEST_LOOK = 2.0
"""Seconds between two looks at an upload, at most."""
MOST_POINTS = 20_000


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next: str | None = None


class _Readings(msgspec.Struct):
    items: list[Reading]


class _Drawn(msgspec.Struct):
    device: str
    unit: str
    channels: list[str]
    decimated: bool
    times: list[float]
    values: list[list[float | None]] | None


class Client(Calls):
    """The API at an address: `Client(url, token="kk_...")`, or with `login=` and `password=`."""

    # --- sessions

    def sessions(
        self, *, patient: str | None = None, kiosk: str | None = None, state: str | None = None
    ) -> Iterator[Session]:
        """Sessions, newest first, page by page as they are taken."""
        return self._pages("/api/v1/sessions", {"patient": patient, "kiosk": kiosk, "state": state}, Session)

    def session(self, session: str) -> SessionDetail:
        """One session with its streams."""
        return _shaped(self.get(f"/api/v1/sessions/{session}").content, SessionDetail)

    def readings(
        self, session: str, *, measure: str | None = None, scope: str | None = None, revision: int | None = None
    ) -> list[Reading]:
        """A session's numbers, or why there are none; the preferred one of a measure first."""
        params: Params = {"measure": measure, "scope": scope, "revision": revision}
        return _shaped(self.get(f"/api/v1/sessions/{session}/readings", params).content, _Readings).items

    def waveform(
        self,
        session: str,
        signal: str,
        *,
        device: str | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> Waveform:
        """A window of a waveform, every sample of it."""
        path = f"/api/v1/sessions/{session}/waveforms/{signal}"
        params: dict[str, str | float | None] = {"device": device, "start": start, "end": end}
        try:
            response = self.get(path, {**params, "format": "f32"})
        except Problem as problem:
            if problem.kind != "irregular":
                raise
            drawn = _shaped(self.get(path, {**params, "points": MOST_POINTS}).content, _Drawn)
            return _irregular(signal, drawn)
        head = response.headers
        rows, columns = (int(each) for each in head["kiosk-shape"].split(","))
        rate = float(head["kiosk-rate"])
        return Waveform(
            signal,
            head["kiosk-device"],
            head["kiosk-unit"],
            tuple(json.loads(head["kiosk-channels"])),
            rate,
            float(head["kiosk-start"]) + np.arange(rows) / rate,
            np.frombuffer(response.content, "<f4").reshape(rows, columns),
        )

    # --- patients

    def patients(self) -> Iterator[Patient]:
        """Patients, newest first."""
        return self._pages("/api/v1/patients", {}, Patient)

    def patient(self, patient: str) -> Patient:
        """One patient, with the version that this is."""
        response = self.get(f"/api/v1/patients/{patient}")
        return _versioned(_shaped(response.content, Patient), response.headers.get("etag"))

    def add_patient(
        self, *, pseudonym: str | None = None, birth_year: int | None = None, sex: str | None = None
    ) -> Patient:
        """Add a patient; without a pseudonym one is made up."""
        said = {"pseudonym": pseudonym, "birth_year": birth_year, "sex": sex}
        response = self.post("/api/v1/patients", {name: value for name, value in said.items() if value is not None})
        return _versioned(_shaped(response.content, Patient), response.headers.get("etag"))

    def change_patient(self, patient: Patient, **changes: str | int | None) -> Patient:
        """Change a patient that was read; Problem `changed-meanwhile` where somebody else was faster."""
        response = self.patch(f"/api/v1/patients/{patient.id}", changes, patient.etag)
        return _versioned(_shaped(response.content, Patient), response.headers.get("etag"))

    # --- uploads

    def upload(
        self,
        files: Files,
        *,
        patient: str | None = None,
        kind: str | None = None,
        channel: str | None = None,
        rate: float | None = None,
        age: float | None = None,
        sex: str | None = None,
        started: datetime | None = None,
    ) -> Analysis:
        """Upload a recording: a file, or the files that it consists of. `wait` for what becomes of it."""
        paths = [Path(files)] if isinstance(files, Path | str) else [Path(each) for each in files]
        said = {"patient_id": patient, "kind": kind, "channel": channel, "rate": rate, "age": age, "sex": sex}
        fields = {name: str(value) for name, value in said.items() if value is not None}
        if started is not None:
            fields["started"] = started.isoformat()
        return _shaped(self.send("/api/v1/analyses", {path.name: path for path in paths}, fields).content, Analysis)

    def analysis(self, analysis: str) -> Analysis:
        """How far an upload is."""
        return _shaped(self.get(f"/api/v1/analyses/{analysis}").content, Analysis)

    def analyses(self, *, state: str | None = None) -> Iterator[Analysis]:
        """Uploads, newest first."""
        return self._pages("/api/v1/analyses", {"state": state}, Analysis)

    def wait(
        self,
        analysis: Analysis | str,
        *,
        tell: Callable[[Analysis], None] | None = None,
        timeout: float = 900.0,
    ) -> Analysis:
        """An upload that is over, done or failed. `tell` is called with how far it is; TimeoutError after `timeout`."""
        name, until, pause = analysis if isinstance(analysis, str) else analysis.id, time.monotonic() + timeout, 0.1
        while True:
            found = self.analysis(name)
            if tell is not None:
                tell(found)
            if found.over:
                return found
            if time.monotonic() > until:
                raise TimeoutError(f"upload {name} is not over after {timeout:g} s")
            time.sleep(pause)
            pause = min(1.5 * pause, SLOWEST_LOOK)

    def cancel(self, analysis: str) -> None:
        """Cancel an upload, or forget one that is over."""
        self.delete(f"/api/v1/analyses/{analysis}")

    # --- over time

    def trends(self, patient: str, measures: Sequence[str], *, since: datetime | None = None) -> Trends:
        """Some measures of a person over their sessions, the newest 365 of them."""
        params: Params = {"measures": ",".join(measures), "from": since.isoformat() if since is not None else None}
        return _shaped(self.get(f"/api/v1/patients/{patient}/trends", params).content, Trends)

    def alerts(self, *, state: str | None = None, patient: str | None = None) -> Iterator[Alert]:
        """Alerts, the last raised first."""
        return self._pages("/api/v1/alerts", {"state": state, "patient_id": patient}, Alert)

    def acknowledge(self, alert: str) -> Alert:
        """Say that somebody has seen to it."""
        return _shaped(self.post(f"/api/v1/alerts/{alert}/acknowledge").content, Alert)

    def _pages(self, path: str, params: Params, shape: type[Shape]) -> Iterator[Shape]:
        cursor: str | None = None
        while True:
            page = _shaped(self.get(path, {**params, "limit": 100, "cursor": cursor}).content, _Page)
            for item in page.items:
                yield _shaped(item, shape)
            cursor = page.next
            if cursor is None:
                return


def _shaped(content: bytes | msgspec.Raw, shape: type[Shape]) -> Shape:
    return msgspec.json.decode(content, type=shape)


def _versioned(patient: Patient, etag: str | None) -> Patient:
    return msgspec.structs.replace(patient, etag=etag)


def _irregular(signal: str, drawn: _Drawn) -> Waveform:
    if drawn.decimated or drawn.values is None:
        raise ValueError("too many samples for one answer: ask for a shorter window")
    rows = np.array(drawn.values, np.float64).T.reshape(len(drawn.times), len(drawn.channels)).astype(np.float32)
    return Waveform(signal, drawn.device, drawn.unit, tuple(drawn.channels), None, np.array(drawn.times), rows)

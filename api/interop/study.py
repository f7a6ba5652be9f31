"""The de-identified export as a zip: visits, readings, and waveforms where the clinic lets them out."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec
import pyarrow as pa

from api.interop import deidentified, flows, tables
from api.interop.deidentified import STUDY_WAVES, StudyReading, StudyVisit, Suppressed
from api.interop.flows import Flow, Pipe
from api.interop.tables import Form, Writer
from api.store import Destroyed, Transaction
from kiosk.signals import SIGNALS

_LEADS = frozenset({"I", "II", "III", "aVR", "aVL", "aVF", *(f"V{number}" for number in range(1, 10))})
_SITES = frozenset(
    (
        *("Fp1", "Fpz", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "T3", "C3", "Cz", "C4", "T8", "T4"),
        *("P7", "T5", "P3", "Pz", "P4", "P8", "T6", "O1", "Oz", "O2", "A1", "A2", "M1", "M2"),
    )
)
_COLOURS = frozenset({"r", "g", "b", "red", "green", "blue", "ir", "infrared"})
_KNOWN = _LEADS | _SITES | _COLOURS
"""What channels may be called: any other name may be a device's serial number."""
_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
_READING = pa.schema(
    [
        *((name, _TEXT) for name in ("visit", "measure")),
        ("value", _REAL),
        ("unit", _TEXT),
        *((name, _REAL) for name in ("low", "high", "quality")),
        *((name, _TEXT) for name in ("absent", "source", "scope")),
        ("preferred", pa.bool_()),
        ("seconds", _WHOLE),
        *((name, _TEXT) for name in ("method", "version")),
    ]
)
README = """\
De-identified export of a health kiosk: people who agreed to research and have not taken it back.

visits    one row per session: study id and visit id (keyed hashes), age band at the first session, sex, a date that is
          moved by the same unknown number of whole weeks for all sessions of one person, protocol where at least k
          people share it, duration to ten seconds
readings  numbers of the newest analysis and of devices, rounded to what they mean; or why there is none
waveforms only where the clinic lets them out; times are seconds since the session began

People of an age band and sex with fewer than k are left out: suppressed.json counts them.
Do not try to find out who somebody is, and do not join this with other data for it. Electrocardiograms and
electroencephalograms are as individual as fingerprints: waveforms must be kept like names.
"""


def write(
    db: Transaction, visits: Sequence[StudyVisit], hidden: Suppressed, pipe: Pipe, form: Form, *, waveforms: bool
) -> Iterator[None]:
    """The zip, a piece at a time."""
    with ZipFile(pipe, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(ZipInfo("README.txt"), README)
        archive.writestr(ZipInfo("suppressed.json"), msgspec.json.encode(hidden))
        table = _visits(visits)
        with _entry(archive, f"visits.{form}", form) as file, Writer(file, table.schema, form) as to:
            to.write(table)
        yield
        with _entry(archive, f"readings.{form}", form) as file, Writer(file, _READING, form) as to:
            for some in deidentified.portions(visits):
                to.write(_readings(list(deidentified.readings_of(db, some))))
                yield
        if waveforms:
            for visit in visits:
                yield from _waves(db, archive, visit, form)
    yield


def _entry(archive: ZipFile, name: str, form: Form) -> IO[bytes]:
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED if form == "csv" else ZIP_STORED
    return archive.open(info, "w", force_zip64=True)


def _visits(visits: Sequence[StudyVisit]) -> pa.Table:
    return tables.table_of(
        {
            "study_id": (_TEXT, [each.person.study for each in visits]),
            "visit": (_TEXT, [each.visit for each in visits]),
            "age": (_TEXT, [each.person.age for each in visits]),
            "sex": (_TEXT, [each.person.sex for each in visits]),
            "date": (pa.date32(), [each.day for each in visits]),
            "protocol": (_TEXT, [each.protocol for each in visits]),
            "seconds": (_WHOLE, [each.seconds for each in visits]),
            "quality": (_REAL, [each.quality for each in visits]),
        }
    )


def _readings(rows: Sequence[StudyReading]) -> pa.Table:
    columns = [pa.array([getattr(row, field.name) for row in rows], _READING.field(field.name).type)
               for field in fields(StudyReading)]  # fmt: skip
    return pa.table(columns, schema=_READING)


def _waves(db: Transaction, archive: ZipFile, visit: StudyVisit, form: Form) -> Iterator[None]:
    try:
        found = [flow for flow in flows.flows(db, visit.session) if flow.signal in STUDY_WAVES]
    except Destroyed:
        # erased since this export began
        return
    for number, flow in enumerate(found, 1):
        told = _undevised(flow)
        schema = tables.waveform_schema(told, form)
        name = f"waveforms/{visit.visit}_{number}_{flow.signal}.{form}"
        with _entry(archive, name, form) as file, Writer(file, schema, form) as to:
            for block in flows.blocks(db, flow):
                to.write(tables.waveform_rows(schema, block, form))
                yield


def _undevised(flow: Flow) -> Flow:
    """Without the names that its device gave itself and its channels."""
    fixed = SIGNALS[flow.signal].channels is not None
    channels = tuple(
        channel if fixed or channel in _KNOWN else f"c{number}" for number, channel in enumerate(flow.channels, 1)
    )
    return Flow(flow.signal, "", flow.rate, channels, flow.streams, flow.span)

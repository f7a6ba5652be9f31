"""CSV and Parquet: a zip with a table per waveform, and tables of readings, beats and events. Nothing is rounded."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from api.interop import flows
from api.interop.flows import Flow, Pipe
from api.interop.session import Exported
from api.store import Transaction
from api.waveform import Block
from kiosk.measures import MEASURES
from kiosk.messages import SECOND

Form = Literal["csv", "parquet"]
TIME = "time_s"
"""Of a table with times: seconds since the session's time zero."""
SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell that a spreadsheet would compute begins with (OWASP, CSV injection); the last four are wide letters."""


def write(db: Transaction, given: Exported, pipe: Pipe, form: Form) -> Iterator[None]:
    """The zip, a piece at a time."""
    with ZipFile(pipe, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(ZipInfo("session.json"), msgspec.json.format(msgspec.json.encode(_about(given)), indent=2))
        for name, table in (
            ("readings", readings_table(given)),
            ("events", events_table(given)),
            ("beats", pa.table({TIME: pa.array(given.beats, pa.float64())})),
        ):
            with archive.open(_entry(f"{name}.{form}", form), "w") as file, Writer(file, table.schema, form) as to:
                to.write(table)
            yield
        for name, flow in zip(flows.file_names(given.flows), given.flows, strict=True):
            schema = waveform_schema(flow, form)
            with (
                archive.open(_entry(f"waveforms/{name}.{form}", form), "w", force_zip64=True) as file,
                Writer(file, schema, form) as to,
            ):
                for block in flows.blocks(db, flow):
                    to.write(waveform_rows(schema, block, form))
                    yield
    yield


def _entry(name: str, form: Form) -> ZipInfo:
    info = ZipInfo(name)
    # a Parquet file is compressed already
    info.compress_type = ZIP_DEFLATED if form == "csv" else ZIP_STORED
    return info


class Writer:
    """A table into a file that cannot be sought, as the archive's are."""

    def __init__(self, file: IO[bytes], schema: pa.Schema, form: Form) -> None:
        self._file, self._form = file, form
        self._sink = io.BytesIO()
        self._parquet = parquet.ParquetWriter(_Onward(file), schema, compression="zstd") if form == "parquet" else None
        self._csv = csv.CSVWriter(self._sink, harmless(schema)) if form == "csv" else None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        if self._parquet is not None:
            self._parquet.close()
        if self._csv is not None:
            self._csv.close()
            self._pass_on()

    def write(self, rows: pa.Table) -> None:
        """Some rows."""
        if self._parquet is not None:
            self._parquet.write_table(rows)
        elif self._csv is not None:
            self._csv.write_table(_defused(rows))
            self._pass_on()

    def _pass_on(self) -> None:
        self._file.write(self._sink.getvalue())
        self._sink.seek(0)
        self._sink.truncate()


class _Onward(io.RawIOBase):
    """A file that is only written to, and knows how far it is: Parquet's footer tells where its parts begin."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self._at = file, 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        content = bytes(data)  # type: ignore[call-overload] # whatever is like bytes
        self._file.write(content)
        self._at += len(content)
        return len(content)

    def tell(self) -> int:
        return self._at


# --- cells


def defused(text: str) -> str:
    """A cell that no spreadsheet computes: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(SPREADSHEETS) else text


def harmless(schema: pa.Schema) -> pa.Schema:
    """The same with headings that are not computed either: devices name their channels themselves."""
    return pa.schema([each.with_name(defused(each.name)) for each in schema])


def _defused(rows: pa.Table) -> pa.Table:
    columns = [
        pa.array([None if cell is None else defused(cell) for cell in column.to_pylist()], pa.string())
        if pa.types.is_string(column.type)
        else column
        for column in rows.columns
    ]
    return pa.table(columns, schema=harmless(rows.schema))


def seconds_of(times: NDArray[np.int64]) -> pa.Array:
    """Nanoseconds as seconds: float64 keeps them exact for fifty days."""
    return pa.array(times / SECOND, pa.float64())


def waveform_schema(flow: Flow, form: Form) -> pa.Schema:
    """Columns of a waveform's table, with what they are of."""
    names = [TIME]
    for channel in flow.channels:
        name, count = channel, 1
        while name in names:
            count += 1
            name = f"{channel}-{count}"
        names.append(name)
    about = {"signal": flow.signal, "device": flow.device, "unit": flow.unit, "rate": repr(flow.rate)}
    kinds = [pa.field(name, pa.float32()) for name in names[1:]]
    return pa.schema([pa.field(TIME, pa.float64()), *kinds], metadata=None if form == "csv" else about)


def waveform_rows(schema: pa.Schema, block: Block, form: Form) -> pa.Table:
    """A block as rows. What a device lost is NaN in Parquet, and an empty cell in CSV."""
    columns = [pa.array(np.ascontiguousarray(block.samples[:, place]), pa.float32(), from_pandas=form == "csv")
               for place in range(block.samples.shape[1])]  # fmt: skip
    return pa.table([seconds_of(block.times), *columns], schema=schema)


def readings_table(given: Exported) -> pa.Table:
    """Readings of the newest revision, and what devices measured: revision 0."""
    rows = given.readings
    measures = [MEASURES.get(row.measure) for row in rows]
    columns: Mapping[str, tuple[pa.DataType, Sequence[object]]] = {
        "revision": (pa.int64(), [row.revision for row in rows]),
        "measure": (pa.string(), [row.measure for row in rows]),
        "title": (pa.string(), [known.title if known else None for known in measures]),
        "value": (pa.float64(), [row.value for row in rows]),
        "unit": (pa.string(), [known.unit if known else None for known in measures]),
        "low": (pa.float64(), [row.low for row in rows]),
        "high": (pa.float64(), [row.high for row in rows]),
        "quality": (pa.float64(), [row.quality for row in rows]),
        "absent": (pa.string(), [row.absent for row in rows]),
        "source": (pa.string(), [row.source for row in rows]),
        "scope": (pa.string(), [row.scope for row in rows]),
        "preferred": (pa.bool_(), [row.preferred for row in rows]),
        "start_s": (pa.float64(), [row.start_ns / SECOND for row in rows]),
        "end_s": (pa.float64(), [row.end_ns / SECOND for row in rows]),
        "method": (pa.string(), [row.method for row in rows]),
        "version": (pa.string(), [row.version for row in rows]),
        "model_sha256": (pa.string(), [row.model for row in rows]),
        "note": (pa.string(), [row.note for row in rows]),
    }
    return table_of(columns)


def events_table(given: Exported) -> pa.Table:
    """Events in the order of their times."""
    marks = given.marks
    times = seconds_of(np.array([mark.time_ns for mark in marks], np.int64))
    text = pa.string()
    return pa.table(
        {
            TIME: times,
            "device": pa.array([mark.device for mark in marks], text),
            "event": pa.array([mark.event for mark in marks], text),
            "detail": pa.array([mark.detail for mark in marks], text),
        }
    )


def table_of(columns: Mapping[str, tuple[pa.DataType, Sequence[object]]]) -> pa.Table:
    """A table of columns with their types."""
    return pa.table({name: pa.array(list(values), kind) for name, (kind, values) in columns.items()})


def _about(given: Exported) -> dict[str, object]:
    return {
        "session": given.session,
        "kiosk": given.kiosk,
        "pseudonym": given.pseudonym,
        "sex": given.sex,
        "birth_year": given.birth_year,
        "protocol": given.protocol,
        "simulated": given.simulated,
        "revision": given.revision,
        "version": given.version,
        "origin": None if given.origin is None else given.origin.isoformat(),
        "ended_s": given.ended,
        "times": "seconds since origin",
        "waveforms": [
            {
                "file": name,
                "signal": flow.signal,
                "device": flow.device,
                "channels": list(flow.channels),
                "unit": flow.unit,
                "rate": flow.rate,
            }
            for name, flow in zip(flows.file_names(given.flows), given.flows, strict=True)
        ],
    }

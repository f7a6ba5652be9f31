"""Arrays without a text around them: NumPy's .npy and .npz, and MATLAB's .mat up to version 7."""

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from sensors.files import matlab, table
from sensors.files.content import Content
from sensors.files.matlab import Numbers, Variables
from sensors.files.source import MOST_BYTES, bad, check_count, load, none
from sensors.files.table import Table

MOST_CHANNELS = 512
_RATE = re.compile(r"fs|sr|rate|freq|frequency|sampl(?:e|ing)_?(?:rate|freq(?:uency)?)|srate|fsamp", re.IGNORECASE)
_TIME = re.compile(r"t|time|times|timer|timestamps?|datetime|ts|(?:time|t)_m?s", re.IGNORECASE)
_NAMES = re.compile(r"header|labels?|names?|channels?|sig_?names?|leads?|columns?", re.IGNORECASE)
_UNITS = re.compile(r"units?", re.IGNORECASE)
_COUNTS = re.compile(r"(?:adu|counts?|lsb|adc)_?per_?([mun]?V)", re.IGNORECASE)
_RAW = re.compile(r"(\w+?)_(?:adu|counts?|lsb|adc|raw)", re.IGNORECASE)


def read_npy(path: Path, *, kind: str, rate: float | None) -> Content:
    """One array: a column or row of samples, or a column per channel (the longer axis is time)."""
    array = _array(path, load(path))
    if array.dtype.names and array.ndim == 1:
        rows = cast("NDArray[np.void]", array)
        names = tuple(name for name in array.dtype.names if rows[name].dtype.kind in "iufb" and rows[name].ndim == 1)
        fields = tuple(rows[name].astype(np.float64) for name in names)
        return table.read(path, _checked(path, Table(names, fields)), kind=kind, rate=rate)
    columns = _columns(path, array)
    return table.read(
        path, _checked(path, Table(("",) * len(columns), tuple(columns), named=False)), kind=kind, rate=rate
    )


def _array(path: Path, content: bytes) -> NDArray[np.generic]:
    """The array that .npy bytes hold."""
    if content[:6] != b"\x93NUMPY":
        raise bad(path, "this is no .npy file")
    try:
        shape, _, dtype = _npy_header(content)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        check_count(path, count)
        if dtype.hasobject or count * dtype.itemsize > MOST_BYTES:
            raise bad(path, "holds Python objects, which are not read")
        array: NDArray[np.generic] = np.load(io.BytesIO(content), allow_pickle=False)
    except BadRecording:
        raise
    except Exception:
        # numpy reads the header as Python text: damage shows as any error that the language has
        raise bad(path, "truncated or damaged: an array does not fit its own header") from None
    return array


def _npy_header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def read_npz(path: Path, *, kind: str, rate: float | None) -> Content:
    """The arrays of a .npz file, by the same rules as those of a .mat file."""
    held = Variables()
    try:
        with zipfile.ZipFile(io.BytesIO(load(path))) as packed:
            members = packed.infolist()
            if len(members) > MOST_CHANNELS or sum(member.file_size for member in members) > MOST_BYTES:
                raise bad(path, f"more than {MOST_CHANNELS} arrays or {MOST_BYTES} bytes when unpacked")
            for member in members:
                if not member.filename.endswith(".npy"):
                    continue
                with packed.open(member) as file:
                    # a directory that lies about a size must not fill the memory
                    array = _array(path, file.read(member.file_size))
                name = member.filename.removesuffix(".npy")
                if array.dtype.kind in "iufb" and array.size:
                    held.numbers[name] = array.astype(np.float64).reshape(array.shape or (1,))
                elif array.dtype.kind == "U":
                    held.words[name] = [str(word) for word in array.ravel()]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise bad(path, f"truncated or damaged .npz file ({error})") from None
    return _content(path, held, kind=kind, rate=rate)


def read_mat(path: Path, *, kind: str, rate: float | None) -> Content:
    """The arrays of a .mat file: signals beside, if present, time, rate and names. Structs are looked into once."""
    return _content(path, matlab.read(path), kind=kind, rate=rate)


def _content(path: Path, held: Variables, *, kind: str, rate: float | None) -> Content:
    numbers, words = held.numbers, held.words
    found = [name for name in numbers if _RATE.fullmatch(name)]
    known = float(numbers[found[0]].flat[0]) if found and numbers[found[0]].size <= 2 else None
    times = [name for name in numbers if _TIME.fullmatch(name) and max(numbers[name].shape) == numbers[name].size > 1]
    clock = [name for name in words if _TIME.fullmatch(name)]
    labels = next((words[name] for name in words if _NAMES.fullmatch(name)), [])
    units = next((words[name] for name in words if _UNITS.fullmatch(name)), [])
    signals = {n: a for n, a in numbers.items() if n not in times and n not in found and max(a.shape) > 1}
    if not signals:
        raise none(path, "holds no array of samples")
    counts = {match[1]: float(a.flat[0]) for n, a in numbers.items() if a.size == 1 and (match := _COUNTS.fullmatch(n))}
    scale = next(((unit, count) for unit, count in counts.items() if count > 0), None)
    names: list[str] = []
    columns: list[Numbers] = []
    length = max(max(array.shape) for array in signals.values())
    for name, array in signals.items():
        if max(array.shape) != length:
            continue
        parts = _columns(path, array)
        own = labels if len(labels) == len(parts) else []
        title = name
        if scale and (wave := _RAW.fullmatch(name)):
            # the file says how many of the converter's counts are a unit
            title, parts = f"{wave[1]}_{scale[0]}", [part / scale[1] for part in parts]
        names += own or ([title] if len(parts) == 1 else [f"{title} {i + 1}" for i in range(len(parts))])
        columns += parts
    texts: dict[int, list[str]] = {}
    all_columns: list[Numbers | None] = list(columns)
    time = None
    if times and numbers[times[0]].size == length:
        time = len(names)
        names.append(times[0])
        all_columns.append(numbers[times[0]].reshape(-1))
    elif clock and len(words[clock[0]]) == length:
        texts[len(names)] = words[clock[0]]
        names.append(clock[0])
        all_columns.append(None)
    each = tuple(units) if len(units) == len(columns) else ()
    made = Table(
        tuple(names), tuple(all_columns), texts, each, rate=known if time is None and not texts else None, time=time
    )
    return table.read(path, _checked(path, made), kind=kind, rate=rate)


def _columns(path: Path, array: NDArray[np.generic]) -> list[Numbers]:
    """An array's channels; the longer axis is time."""
    if array.dtype.kind not in "iufb":
        raise bad(path, f"holds {array.dtype} and not numbers")
    if array.ndim > 2 and max(array.shape) * min(array.shape) == array.size:
        array = np.squeeze(array)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise bad(path, f"an array of {array.ndim} dimensions is no recording")
    if array.shape[0] < array.shape[1]:
        array = array.T
    if array.shape[1] > MOST_CHANNELS:
        raise bad(path, f"{array.shape[1]} channels, at most {MOST_CHANNELS} are read")
    return [array[:, i].astype(np.float64) for i in range(array.shape[1])]


def _checked(path: Path, made: Table) -> Table:
    lengths = {len(column) for column in made.columns if column is not None}
    if not lengths or max(lengths) < 2:
        raise none(path, "has fewer than two samples")
    return made

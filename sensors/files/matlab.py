"""MATLAB files of version 5 to 7: arrays of numbers, texts and, one level deep, structs.

MAT-File Format, level 5 (MathWorks). Read here, not by scipy: its reader trusts the sizes in the file and takes the
whole process down on damaged ones. The tests hold this reader to it.
"""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensors.files.source import MOST_BYTES, MOST_VALUES, bad, load

Numbers = NDArray[np.float64]
_HEADER = 128
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC = range(6, 16)
DEEPEST = 4
MOST_ELEMENTS = 500_000
"""Cells of texts are elements too: a time stamp per row."""


@dataclass(slots=True)
class Variables:
    """What a file holds, by name. A struct's fields stand under their own names."""

    numbers: dict[str, Numbers] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)


class _Damaged(Exception):
    """The file contradicts itself."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    name: str
    kind: int
    shape: tuple[int, ...]
    numbers: Numbers | None = None
    text: str = ""
    cells: tuple["_Matrix", ...] = ()


def read(path: Path) -> Variables:
    """The variables of a file."""
    content = load(path)
    if content[:10] == b"MATLAB 7.3" or b"\x89HDF\r\n\x1a\n" in content[:520]:
        raise bad(path, "MATLAB 7.3 files are not read: save it with -v7")
    if len(content) < _HEADER + 8 or content[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise bad(path, "this is no MATLAB file of version 5 to 7")
    reader = _Reader("<" if content[126:128] == b"IM" else ">")
    found = Variables()
    try:
        for matrix in reader.matrices(content[_HEADER:]):
            _keep(found, matrix)
    except (_Damaged, zlib.error, UnicodeDecodeError) as error:
        raise bad(path, f"truncated or damaged MATLAB file ({error})") from None
    return found


def _keep(found: Variables, matrix: _Matrix, depth: int = 0) -> None:
    if matrix.numbers is not None:
        if matrix.numbers.size:
            found.numbers[matrix.name] = matrix.numbers
    elif matrix.kind == _CHAR:
        rows = matrix.shape[0] if len(matrix.shape) == 2 else 1
        # a matrix of characters is stored column by column, a row being a word
        words = [matrix.text[i::rows].strip() for i in range(rows)] if rows > 1 else [matrix.text.strip()]
        found.words[matrix.name] = words
    elif matrix.kind == _CELL:
        if matrix.cells and all(cell.kind == _CHAR for cell in matrix.cells):
            found.words[matrix.name] = [cell.text.strip() for cell in matrix.cells]
    elif matrix.kind == _STRUCT and depth < 1:
        for inner in matrix.cells:
            _keep(found, inner, depth + 1)


class _Reader:
    """Elements out of bytes, with what was unpacked and made counted."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._unpacked = 0
        self._elements = 0
        self._values = 0

    def matrices(self, content: bytes) -> list[_Matrix]:
        """The variables one after the other."""
        found: list[_Matrix] = []
        at = 0
        while at < len(content):
            kind, data, at = self._element(content, at)
            if kind == _COMPRESSED:
                unpacker = zlib.decompressobj()
                data = unpacker.decompress(data, MOST_BYTES - self._unpacked + 1)
                self._unpacked += len(data)
                if self._unpacked > MOST_BYTES:
                    raise _Damaged(f"more than {MOST_BYTES} bytes when unpacked")
                if not unpacker.eof:
                    raise _Damaged("compressed data has no end")
                kind, data, _ = self._element(data, 0)
            if kind == _MATRIX:
                matrix = self._matrix(data, 0)
                if matrix is not None:
                    found.append(matrix)
        return found

    def _element(self, content: bytes, at: int) -> tuple[int, bytes, int]:
        """Type and data of the element at a place, and the place after it."""
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise _Damaged(f"more than {MOST_ELEMENTS} elements")
        if at + 8 > len(content):
            raise _Damaged("an element is cut off")
        first, size = (int(word) for word in np.frombuffer(content, f"{self._order}u4", 2, at))
        if first >> 16:
            # up to four bytes are packed into the tag itself
            size = first >> 16
            if size > 4:
                raise _Damaged("a packed element is too long")
            return first & 0xFFFF, content[at + 4 : at + 4 + size], at + 8
        end = at + 8 + size
        if end > len(content):
            raise _Damaged("an element is longer than the file")
        padding = 0 if first == _COMPRESSED else -size % 8
        return first, content[at + 8 : end], end + padding

    def _matrix(self, data: bytes, depth: int) -> _Matrix | None:
        """One array; None for what is neither numbers, text, cells nor a struct."""
        if depth > DEEPEST:
            raise _Damaged("nested too deep")
        if not data:
            return None
        _, flags, at = self._element(data, 0)
        if len(flags) != 8:
            raise _Damaged("an array without flags")
        kind = int(np.frombuffer(flags, f"{self._order}u4", 1)[0]) & 0xFF
        _, dimensions, at = self._element(data, at)
        if not 8 <= len(dimensions) <= 128 or len(dimensions) % 4:
            raise _Damaged("an array without dimensions")
        shape = tuple(int(size) for size in np.frombuffer(dimensions, f"{self._order}i4"))
        count = 1
        for size in shape:
            count *= size
            if size < 0 or count > MOST_VALUES:
                raise _Damaged(f"an array of more than {MOST_VALUES} values")
        _, name, at = self._element(data, at)
        title = name.decode("latin-1")
        if kind == _CELL:
            return _Matrix(title, kind, shape, cells=self._inner(data, at, ("",) * self._affordable(count), depth))
        if kind == _STRUCT:
            fields, at = self._fields(data, at)
            return _Matrix(title, kind, shape, cells=self._inner(data, at, fields, depth) if count == 1 else ())
        if kind == _CHAR:
            return _Matrix(title, kind, shape, text=self._text(data, at, count))
        if kind in _NUMERIC:
            return _Matrix(title, kind, shape, self._numbers(data, at, shape, count))
        return None

    def _affordable(self, count: int) -> int:
        if self._elements + count > MOST_ELEMENTS:
            raise _Damaged(f"more than {MOST_ELEMENTS} elements")
        return count

    def _inner(self, data: bytes, at: int, names: tuple[str, ...], depth: int) -> tuple[_Matrix, ...]:
        found = []
        for name in names:
            kind, inner, at = self._element(data, at)
            if kind != _MATRIX:
                raise _Damaged("a cell that is no array")
            matrix = self._matrix(inner, depth + 1)
            if matrix is not None:
                found.append(_Matrix(name, matrix.kind, matrix.shape, matrix.numbers, matrix.text, matrix.cells))
        return tuple(found)

    def _fields(self, data: bytes, at: int) -> tuple[tuple[str, ...], int]:
        _, width, at = self._element(data, at)
        if len(width) != 4:
            raise _Damaged("a struct without field names")
        length = int(np.frombuffer(width, f"{self._order}i4")[0])
        _, names, at = self._element(data, at)
        if not 1 <= length <= 256 or len(names) % length:
            raise _Damaged("a struct without field names")
        parts = [names[i : i + length].split(b"\0")[0] for i in range(0, len(names), length)]
        return tuple(part.decode("latin-1") for part in parts), at

    def _text(self, data: bytes, at: int, count: int) -> str:
        if count == 0:
            return ""
        kind, raw, _ = self._element(data, at)
        if kind not in _TEXTS:
            raise _Damaged("text of an unknown kind")
        coding = _TEXTS[kind]
        return raw.decode(f"{coding}-{'le' if self._order == '<' else 'be'}" if coding[-2:] in ("16", "32") else coding)

    def _numbers(self, data: bytes, at: int, shape: tuple[int, ...], count: int) -> Numbers:
        if count == 0:
            return np.empty(0)
        self._values += count
        if self._values > MOST_VALUES:
            raise _Damaged(f"more than {MOST_VALUES} values")
        kind, raw, _ = self._element(data, at)
        if kind not in _TYPES:
            raise _Damaged("numbers of an unknown kind")
        stored = np.dtype(self._order + _TYPES[kind])
        if len(raw) != count * stored.itemsize:
            raise _Damaged("an array has not the size that it says")
        values = np.frombuffer(raw, stored)
        return values.astype(np.float64).reshape(shape, order="F")

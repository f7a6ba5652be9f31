"""Files that are encrypted block by block as they are written, under a key of their own that is destroyed later."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from api.store import Tampered
from api.store.sealing import Box

BLOCK = 1 << 20
"""Bytes sealed at once: the memory that a file of any size takes."""
_LENGTH = 4


class SealedFile:
    """A file that is being written. Nothing of it is on the disk in clear, not for a moment."""

    def __init__(self, path: Path, box: Box, where: str) -> None:
        self._box, self._where = box, where
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._waiting = bytearray()
        self._blocks = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self.size += len(data)
        self._waiting += data
        # one block is kept back: the last one is sealed as such
        while len(self._waiting) > BLOCK:
            self._seal(bytes(self._waiting[:BLOCK]), last=False)
            del self._waiting[:BLOCK]

    def close(self) -> None:
        """Write what is left, so that it is on the disk."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Let go of it, half written."""
        self._file.close()

    def _seal(self, data: bytes, *, last: bool) -> None:
        sealed = self._box.seal(data, _place(self._where, self._blocks, last=last))
        self._file.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
        self._blocks += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def opened(path: Path, box: Box, where: str) -> Iterator[bytes]:
    """What was written, block by block; Tampered where a block is missing, moved or changed."""
    with path.open("rb") as file:
        left, number = path.stat().st_size, 0
        while left:
            length = int.from_bytes(file.read(_LENGTH), "big")
            if not 0 < length <= BLOCK + 64:
                raise Tampered("a block is not what was sealed")
            left -= _LENGTH + length
            yield box.open(file.read(length), _place(where, number, last=left == 0))
            number += 1
        if not number:
            raise Tampered("there are no blocks")


def _place(where: str, number: int, *, last: bool) -> str:
    return f"{where}:{number}{':last' if last else ''}"

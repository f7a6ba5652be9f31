"""An upload's request, taken apart as it comes: fields are kept, files are encrypted before they reach the disk."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api import errors
from api.errors import Failed
from api.store.sealing import Box
from api.uploads.places import place
from api.uploads.sealed import SealedFile
from api.uploads.spoken import FileSaid

FILES = "files"
"""The name of parts that are files."""
MOST_FILES = 100
MOST_FIELDS = 20
LONGEST_FIELD = 200
LONGEST_NAME = 300
_MOST_BOUNDARY = 200


@dataclass(slots=True)
class _Part:
    name: str
    file: SealedFile | None
    filename: str = ""
    value: bytearray = field(default_factory=bytearray)


class Receiver:
    """Takes a body piece by piece. `close` it in any case."""

    def __init__(self, content_type: str, folder: Path, box: Box, analysis: str, most_bytes: int) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= _MOST_BOUNDARY:
            raise Failed(errors.UNPARSABLE, "An upload is multipart/form-data, its files parts named `files`.")
        self._folder, self._box, self._analysis, self._most = folder, box, analysis, most_bytes
        self._part: _Part | None = None
        self._header, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._ended = False
        self._digest = hashlib.sha256()
        self.files: list[FileSaid] = []
        self.fields: dict[str, str] = {}
        self.size = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, begin, end: self._header.extend(data[begin:end]),
                "on_header_value": lambda data, begin, end: self._value.extend(data[begin:end]),
                "on_header_end": self._header_ended,
                "on_headers_finished": self._begin,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise Failed(errors.UNPARSABLE, "The parts of the body cannot be told apart.") from None

    def finish(self) -> None:
        """Say that this was all; Failed where it was not, or where there was no file in it."""
        if not self._ended:
            raise Failed(errors.UNPARSABLE, "The body ends in the middle.")
        if not self.files:
            fault = {"where": f"body.{FILES}", "what": "Field required"}
            raise Failed(errors.INVALID, "There is no file in it.", errors=[fault])

    @property
    def digest(self) -> str:
        """SHA-256 over all that was said: names, fields and files, but not how they were packed."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Let go of what is half written."""
        if self._part is not None and self._part.file is not None:
            self._part.file.abandon()

    # --- what the parser says

    def _header_ended(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _begin(self) -> None:
        said = self._headers.get(b"content-disposition", b"").decode("latin-1")
        options = parse_options_header(said)[1]
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        if filename is None and name != FILES:
            if len(self.fields) >= MOST_FIELDS or name in self.fields or len(name) > LONGEST_FIELD:
                raise Failed(errors.INVALID, "There are too many fields, or one of them twice.", errors=[])
            self._part = _Part(name, None)
        else:
            if len(self.files) >= MOST_FILES:
                fault = {"where": f"body.{FILES}", "what": f"at most {MOST_FILES}; pack more into a zip"}
                raise Failed(errors.INVALID, "There are too many files.", errors=[fault])
            number = len(self.files)
            file = SealedFile(self._folder / str(number), self._box, place(self._analysis, number))
            called = (filename or b"").decode("utf-8", "replace")[-LONGEST_NAME:]
            self._part = _Part(name, file, called)
        self._note(name, self._part.filename)

    def _data(self, data: bytes, begin: int, end: int) -> None:
        part = self._part
        assert part is not None
        piece = data[begin:end]
        self._digest.update(piece)
        if part.file is None:
            part.value += piece
            if len(part.value) > LONGEST_FIELD:
                fault = {"where": f"body.{part.name}", "what": "too long"}
                raise Failed(errors.INVALID, errors=[fault])
            return
        self.size += len(piece)
        if self.size > self._most:
            raise Failed(errors.TOO_LARGE, f"At most {self._most} bytes are taken.")
        part.file.write(piece)

    def _end(self) -> None:
        part, self._part = self._part, None
        assert part is not None
        if part.file is None:
            self.fields[part.name] = bytes(part.value).decode("utf-8", "replace")
        else:
            part.file.close()
            self.files.append(FileSaid(part.filename, part.file.size))
        self._note(str(part.file.size if part.file else len(part.value)))

    def _all(self) -> None:
        self._ended = True

    def _note(self, *said: str) -> None:
        for each in said:
            text = each.encode("utf-8", "replace")
            self._digest.update(len(text).to_bytes(4, "big") + text)

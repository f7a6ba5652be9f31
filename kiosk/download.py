"""One file from the network whose checksum is known before: continued where it broke off, whole or not at all.

Only https, also behind redirects. A server may stall, break off, lie about ranges or lengths and send without end: what
it sends is counted, timed and bounded, and the checksum has the last word.
"""

import contextlib
import fcntl
import hashlib
import http.client
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from email.message import Message
from http import HTTPStatus
from io import BufferedRandom
from pathlib import Path
from typing import IO
from urllib import request as web
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from kiosk.errors import KioskError
from kiosk.version import VERSION

Told = Callable[[int, int], None]
"""Is told how many bytes there are, and how many there will be (0: not known)."""

BLOCK = 1 << 18
PATIENCE = 30.0
"""Seconds without a byte after which a connection is given up."""
LONGEST = 3600.0
"""Seconds of a whole download: a server may also send one byte a second."""
TRIES = 3
"""Connections in a row that brought nothing new."""
PAUSE = 1.0
"""Seconds before the next connection: also after one that brought a single byte, and so something new."""
LARGEST = 256 << 20
"""Bytes, where nobody said how many there will be."""
REDIRECTS = 5
HERE = "127.0.0.1"
_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class NotFetched(KioskError):
    """Why a file could not be had."""


class _BrokeOff(Exception):
    """The connection ended early; the next may go on."""


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str,
    size: int = 0,
    plain: bool = False,
    patience: float = PATIENCE,
    told: Told | None = None,
) -> None:
    """Make `target` the file with this checksum, and this size if it is not 0, or NotFetched.

    What came so far is kept beside it as `.NAME.part` as long as it can be continued. `plain` permits http to this
    machine itself, for tests.
    """
    _permitted(url, plain)
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as file, _alone(file, part):
            _Download(url, file, _tag(part), size, _opener(plain), patience, told).complete(sha256)
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            part.replace(target)
            _tag(part).unlink(missing_ok=True)
        sync_folder(target.parent)
    except OSError as error:
        raise NotFetched(f"it cannot be kept in {target.parent}: {error.strerror or error}") from None


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder durable."""
    # a rename is durable only when its folder is; file systems that cannot do it say EINVAL
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


class _Download:
    """One file on its way."""

    def __init__(
        self,
        url: str,
        file: BufferedRandom,
        tag: Path,
        size: int,
        opener: web.OpenerDirector,
        patience: float,
        told: Told | None,
    ) -> None:
        self._url, self._file, self._tag, self._size = url, file, tag, size
        self._opener, self._patience, self._told = opener, patience, told
        self._host = urlsplit(url).hostname
        self._have = file.seek(0, os.SEEK_END)
        self._until = time.monotonic() + LONGEST

    def complete(self, sha256: str) -> None:
        """Fetch what is missing until the checksum is right; an empty part is not left behind."""
        try:
            self._complete(sha256)
        except NotFetched:
            if not self._have:
                self._give_up()
            raise

    def _complete(self, sha256: str) -> None:
        continued = self._have > 0
        self._rest()
        found = self._digest()
        if found != sha256 and continued:
            # what lay here from another day may have been the wrong half
            self._drop()
            self._rest()
            found = self._digest()
        if found != sha256:
            self._drop()
            raise NotFetched(f"{self._host} sends another file (sha256 {found[:12]}... instead of {sha256[:12]}...)")

    def _rest(self) -> None:
        tries = 0
        while not (self._size and self._have == self._size):
            before = self._have
            try:
                self._connect()
            except _BrokeOff as broken:
                tries = 0 if self._have > before else tries + 1
                if tries < TRIES and time.monotonic() < self._until:
                    time.sleep(PAUSE)
                    continue
                if self._have:
                    raise NotFetched(f"{broken}; call again to continue at {self._have} bytes") from None
                raise NotFetched(str(broken)) from None
            return

    def _connect(self) -> None:
        """One connection: to the end, or _BrokeOff."""
        headers = {"Accept-Encoding": "identity", "User-Agent": f"health-kiosk/{VERSION}"}
        if self._have > (self._size or LARGEST):
            self._drop()
        if self._have:
            headers["Range"] = f"bytes={self._have}-"
            with contextlib.suppress(OSError, ValueError):
                if (tag := self._tag.read_text("ascii")).isprintable() and tag:
                    headers["If-Range"] = tag
        asked = web.Request(self._url, headers=headers)  # noqa: S310 - _permitted saw its scheme
        try:
            response = self._opener.open(asked, timeout=self._patience)
        except HTTPError as error:
            with error:
                if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._have:
                    self._drop()
                    raise _BrokeOff(f"{self._host} cannot continue the file") from None
                self._settle(resumable=error.code in _LATER or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR)
                raise NotFetched(f"{self._host} says {error.code} {error.reason}") from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            # ValueError: a redirect to what cannot be a host
            raise _BrokeOff(f"{self._host} cannot be reached: {_words(error)}") from None
        with response:
            if response.status == HTTPStatus.PARTIAL_CONTENT:
                total, resumable = self._continued(response.headers), True
            elif response.status == HTTPStatus.OK:
                total, resumable = self._begun(response.headers)
            else:
                raise NotFetched(f"{self._host} says {response.status} {response.reason}")
            if self._size and total and total != self._size:
                self._drop()
                raise NotFetched(f"{self._host} has {total} bytes, the right file has {self._size}")
            self._receive(response, total or self._size, resumable)

    def _begun(self, headers: Message) -> tuple[int, bool]:
        """The answer is the whole file: its length, and whether it could be continued."""
        self._drop()
        tag = headers.get("ETag", "")
        # a weak tag is also that of similar files: it may not ask for a range (RFC 9110, 13.1.5)
        if (tag := tag if tag.startswith('"') else headers.get("Last-Modified", "")).isascii() and tag:
            self._tag.write_text(tag, "ascii")
        length = headers.get("Content-Length", "")
        return int(length) if length.isascii() and length.isdigit() else 0, headers.get("Accept-Ranges") == "bytes"

    def _continued(self, headers: Message) -> int:
        """The answer is the part that was asked for: the length of the whole."""
        span = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", headers.get("Content-Range", ""))
        if not self._have or not span or int(span[1]) != self._have:
            self._drop()
            raise _BrokeOff(f"{self._host} continues somewhere else than asked")
        return 0 if span[3] == "*" else int(span[3])

    def _receive(self, response: http.client.HTTPResponse, total: int, resumable: bool) -> None:
        limit = total or LARGEST
        while True:
            try:
                block = response.read1(BLOCK)
            except (http.client.HTTPException, OSError) as error:
                self._settle(resumable=resumable)
                raise _BrokeOff(f"{self._host} broke off: {_words(error)}") from None
            if not block:
                break
            if self._have + len(block) > limit:
                self._drop()
                raise NotFetched(f"{self._host} sends more than {limit} bytes")
            self._file.write(block)
            self._have += len(block)
            if self._told is not None:
                self._told(self._have, total)
            if time.monotonic() > self._until:
                self._settle(resumable=resumable)
                raise NotFetched(f"{self._host} is too slow: {self._have} bytes in {LONGEST:.0f} s")
        if total and self._have < total:
            have = self._have
            self._settle(resumable=resumable)
            raise _BrokeOff(f"{self._host} broke off after {have} bytes of {total}")

    def _digest(self) -> str:
        self._file.flush()
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def _settle(self, *, resumable: bool) -> None:
        """Keep what came, if it is of any use."""
        if resumable:
            self._file.flush()
        else:
            self._drop()

    def _drop(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._tag.unlink(missing_ok=True)
        self._have = 0

    def _give_up(self) -> None:
        self._drop()
        Path(self._file.name).unlink(missing_ok=True)


def _tag(part: Path) -> Path:
    """Where the server's name for this version of the file lies."""
    return part.with_name(f"{part.name}.tag")


@contextlib.contextmanager
def _alone(file: IO[bytes], part: Path) -> Iterator[None]:
    """Nobody else works on this part."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # whoever finished between the opening and the lock has made the installed file of it
        same = part.stat().st_ino == os.fstat(file.fileno()).st_ino
    except (BlockingIOError, FileNotFoundError):
        same = False
    if not same:
        raise NotFetched("another download of it is under way")
    yield


def _permitted(url: str, plain: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise NotFetched(f"{url!r} is no address") from None
    if not host or not (parts.scheme == "https" or (plain and parts.scheme == "http" and host == HERE)):
        raise NotFetched(f"{parts.scheme or 'nothing'}://{host or ''} is not https")


class _Redirects(web.HTTPRedirectHandler):
    """Follows to https alone."""

    max_redirections = REDIRECTS

    def __init__(self, plain: bool) -> None:
        self._plain = plain

    def redirect_request(
        self, req: web.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> web.Request | None:
        """The next address, if it is permitted."""
        _permitted(newurl, self._plain)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(plain: bool) -> web.OpenerDirector:
    """No file:, ftp: or data:, whatever a redirect says; a proxy only on the way out."""
    opener = web.OpenerDirector()
    for handler in (
        web.ProxyHandler({} if plain else None),
        web.HTTPSHandler(context=ssl.create_default_context()),
        web.HTTPDefaultErrorHandler(),
        web.HTTPErrorProcessor(),
        _Redirects(plain),
        *((web.HTTPHandler(),) if plain else ()),
    ):
        opener.add_handler(handler)
    return opener


def _words(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return str(reason) or type(reason).__name__

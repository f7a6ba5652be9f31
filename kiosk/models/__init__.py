"""The networks: which there are, whether their files are here and unharmed, and how they are opened.

Few files are part of the product (ours, small); the others an operator pulls or adds, and the checksum in `models.toml`
decides. Where that is not known, the first file that is added under a network's name is trusted and its checksum
remembered. Nothing is fetched unasked. What is opened is the bytes that were checked, never the file a second time.
"""

import difflib
import hashlib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from kiosk import download
from kiosk.errors import BadModel
from kiosk.models.opening import OpenNetwork, open_bytes
from kiosk.models.pins import PINS, alone, pin, pinned
from kiosk.network import SHIPPED, Identity, Input, Network

__all__ = [
    "FOLDER",
    "PINS",
    "SHIPPED",
    "Check",
    "Identity",
    "Input",
    "Network",
    "OpenNetwork",
    "State",
    "add",
    "identity",
    "known",
    "listed",
    "open_bytes",
    "open_network",
    "place",
    "pull",
    "read",
    "status",
    "verify",
]

FOLDER = "models"
"""Below the folder of what is kept (`Settings.data`)."""
BLOCK = 1 << 20
LARGEST = download.LARGEST

State = Literal["installed", "missing", "damaged"]


class Check(NamedTuple):
    """How a network's file is."""

    network: Network
    state: State


@cache
def listed() -> tuple[Network, ...]:
    """Every network that the product knows."""
    text = resources.files("kiosk").joinpath("models.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["network"], tuple[Network, ...])


def known(name: str) -> Network:
    """The network of this name, or BadModel."""
    for network in listed():
        if network.name == name:
            return network
    raise BadModel(f"there is no network {name!r}; known are {', '.join(each.name for each in listed())}")


def identity(network: Network, folder: Path) -> Identity | None:
    """The checksum that its file must have: as listed, or as remembered; None where no file was added yet."""
    if network.sha256:
        return Identity(network.name, network.sha256, network.size)
    return next((each for each in pinned(folder) if each.name == network.name), None)


def place(network: Network, folder: Path) -> Path:
    """Where its file is, or should be."""
    return (SHIPPED if network.shipped else folder) / network.file


def status(network: Network, folder: Path) -> State:
    """Whether its file is here and every byte of it right."""
    path = place(network, folder)
    try:
        if not path.exists():
            return "missing"
        known_as = identity(network, folder)
        if known_as is None:
            return "damaged"
        digest, size = hashlib.sha256(), 0
        for block in _blocks(path, known_as.size or LARGEST):
            digest.update(block)
            size += len(block)
    except (OSError, BadModel):
        return "damaged"
    return "damaged" if known_as.difference(size, digest.hexdigest()) else "installed"


def verify(folder: Path) -> tuple[Check, ...]:
    """The state of every network's file."""
    return tuple(Check(network, status(network, folder)) for network in listed())


def add(file: Path, folder: Path, *, name: str | None = None, sha256: str | None = None) -> Network:
    """Install a network's file, whatever it is called; BadModel says what it resembles and what differs.

    `name` says which network it is: needed where its checksum is not known; from then on it is remembered. Another file
    takes its place only with its `sha256`, which any file must have where it is given.
    """
    if not file.is_file():
        raise BadModel(f"{file} is not a file")
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".adding-")
        part = Path(temporary)
        try:
            # what is hashed is what is written: the source may change while it is read
            with os.fdopen(handle, "wb") as copy, alone(folder):
                for block in _blocks(file, max(network.size or LARGEST for network in listed())):
                    digest.update(block)
                    size += copy.write(block)
                found = Identity(name or "", digest.hexdigest(), size)
                if sha256 is not None and found.sha256 != sha256.lower():
                    raise BadModel(f"{file.name} has the sha256 {found.sha256}, not {sha256}")
                network = _recognised(file.name, found, folder, certain=sha256 is not None)
                copy.flush()
                if not network.sha256:
                    open_bytes(network, part.read_bytes())
                os.fchmod(copy.fileno(), 0o644)
                os.fsync(copy.fileno())
                part.replace(folder / network.file)
                download.sync_folder(folder)
                if not network.sha256:
                    pin(found, folder)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise BadModel(f"{file} cannot be installed in {folder}: {error.strerror or error}") from None
    return network


def pull(
    name: str,
    folder: Path,
    *,
    told: download.Told | None = None,
    plain: bool = False,
    patience: float = download.PATIENCE,
) -> Network:
    """Fetch a network's file from where it is published, unless it is here; BadModel says what is in the way."""
    network = known(name)
    if status(network, folder) == "installed":
        return network
    if not network.url or not network.sha256:
        raise BadModel(f"{name} cannot be pulled: {_how(network)}")
    try:
        download.fetch(
            network.url,
            folder / network.file,
            sha256=network.sha256,
            size=network.size,
            told=told,
            plain=plain,
            patience=patience,
        )
    except download.NotFetched as error:
        raise BadModel(f"{name}: {error}") from None
    return network


def read(name: str, folder: Path) -> bytes:
    """The checked bytes of a network, also for those that another library opens (MediaPipe's)."""
    network = known(name)
    path = place(network, folder)
    known_as = identity(network, folder)
    digest, taken = hashlib.sha256(), bytearray()
    try:
        for block in _blocks(path, (known_as.size if known_as else 0) or LARGEST):
            digest.update(block)
            taken += block
    except FileNotFoundError:
        raise BadModel(f"{network.name} is not installed: {_how(network)}") from None
    except OSError as error:
        raise BadModel(f"{network.name}: {path} cannot be read: {error.strerror or error}") from None
    if known_as is None:
        raise BadModel(f"{network.name}: nobody has vouched for {path}: `kiosk models add FILE --as {network.name}`")
    if difference := known_as.difference(len(taken), digest.hexdigest()):
        raise BadModel(f"{network.name}: {path} is damaged: {difference}; add it again")
    return bytes(taken)


def open_network(name: str, folder: Path) -> OpenNetwork:
    """Load a network that is installed, or BadModel with the reason."""
    network = known(name)
    if not network.file.endswith(".onnx"):
        raise BadModel(f"{name} is no ONNX network: {network.file} is opened by MediaPipe")
    return open_bytes(network, read(name, folder))


def _blocks(path: Path, expected: int) -> Iterator[bytes]:
    """A file's bytes, a block at a time; no more than it takes to see that it is longer than expected."""
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a file")  # a pipe would wait for ever
    taken = 0
    with path.open("rb") as file:
        while taken <= expected and (block := file.read(min(BLOCK, expected + 1 - taken))):
            taken += len(block)
            yield block


def _recognised(called: str, found: Identity, folder: Path, *, certain: bool) -> Network:
    """The network that a file is: by its checksum, or by the name that it was given; else the nearest one, in words."""
    if found.name:
        network = known(found.name)
        right = identity(network, folder)
        if right and (difference := right.difference(found.size, found.sha256)):
            if network.sha256:
                raise BadModel(f"{called} is not {network.name}: {difference}")
            if not certain:
                raise BadModel(
                    f"{called} is not the {network.name} that was first added: {difference}; "
                    "if it is right, give its checksum: --sha256"
                )
        return network
    for network in listed():
        right = identity(network, folder)
        if right and right.sha256 == found.sha256:
            return network
    near = difflib.get_close_matches(called, [network.file for network in listed()], n=1, cutoff=0.7)
    alike = [network for network in listed() if network.file in near]
    alike += [network for network in listed() if network.size and network.size == found.size]
    if not alike:
        raise BadModel(f"{called} is no network that the product knows (sha256 {found.sha256[:12]}...)")
    resembled = identity(alike[0], folder)
    if resembled is None:
        raise BadModel(
            f"{called} may be {alike[0].name}, whose checksum is not known: if you trust it, "
            f"`kiosk models add FILE --as {alike[0].name}`"
        )
    difference = resembled.difference(found.size, found.sha256)
    raise BadModel(f"{called} resembles {alike[0].name} but is not it: {difference}")


def _how(network: Network) -> str:
    """What an operator does to get its file."""
    if network.url and network.sha256:
        return f"get {network.file} from {network.origin}: `kiosk models pull {network.name}`"
    named = "" if network.sha256 else f" --as {network.name}"
    return f"get {network.file} from {network.origin}, then `kiosk models add FILE{named}`"

"""The networks: which there are, whether their files are here and unharmed, and the only place that opens one.

The files are no part of the product and nothing is fetched: an operator adds them, and the checksum in `models.toml`
decides. What is opened is the bytes that were checked, never the file a second time.
"""

import contextlib
import difflib
import hashlib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from kiosk.errors import BadModel

if TYPE_CHECKING:
    import onnxruntime

FOLDER = "models"
"""Below the folder of what is kept (`Settings.data`)."""
BLOCK = 1 << 20

State = Literal["installed", "missing", "damaged"]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """What a network takes: a tensor of (pixel 0..255 - mean) / scale where it takes pictures."""

    name: str
    shape: tuple[Annotated[int, Meta(ge=0)], ...]
    """As the network names it; 0 is any size."""
    type: Literal["float32", "int64"] = "float32"
    order: Literal["RGB", "BGR", "grey"] | None = None
    """Colour order, where it is a picture."""
    mean: float = 0.0
    scale: float = 1.0

    def pixels(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A picture's bytes on the scale of this input; order and layout are the caller's."""
        return (picture.astype(np.float32) - np.float32(self.mean)) / np.float32(self.scale)


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of `models.toml`."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    purpose: str
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(gt=0)]
    licence: str
    """SPDX identifier."""
    attribution: str
    origin: Annotated[str, Meta(pattern=r"^https://")]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """What the outputs' numbers mean, in order."""


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


def status(network: Network, folder: Path) -> State:
    """Whether its file is here and every byte of it right."""
    path = folder / network.file
    try:
        if not path.exists():
            return "missing"
        digest, size = hashlib.sha256(), 0
        for block in _blocks(path, network.size):
            digest.update(block)
            size += len(block)
    except OSError:
        return "damaged"
    return "installed" if (size, digest.hexdigest()) == (network.size, network.sha256) else "damaged"


def verify(folder: Path) -> tuple[Check, ...]:
    """The state of every network's file."""
    return tuple(Check(network, status(network, folder)) for network in listed())


def add(file: Path, folder: Path) -> Network:
    """Install a network's file, whatever it is called; BadModel says what it resembles and what differs."""
    if not file.is_file():
        raise BadModel(f"{file} is not a file")
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".adding-")
        part = Path(name)
        try:
            # what is hashed is what is written: the source may change while it is read
            with os.fdopen(handle, "wb") as copy:
                for block in _blocks(file, max(network.size for network in listed())):
                    digest.update(block)
                    size += copy.write(block)
                network = _recognised(file.name, size, digest.hexdigest())
                copy.flush()
                os.fchmod(copy.fileno(), 0o644)
                os.fsync(copy.fileno())
            part.replace(folder / network.file)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(folder)
    except OSError as error:
        raise BadModel(f"{file} cannot be installed in {folder}: {error.strerror or error}") from None
    return network


def read(name: str, folder: Path) -> bytes:
    """The checked bytes of a network, also for those that another library opens (MediaPipe's)."""
    network = known(name)
    path = folder / network.file
    digest, taken = hashlib.sha256(), bytearray()
    try:
        for block in _blocks(path, network.size):
            digest.update(block)
            taken += block
    except FileNotFoundError:
        raise BadModel(
            f"{network.name} is not installed: get {network.file} from {network.origin}, then `kiosk models add`"
        ) from None
    except OSError as error:
        raise BadModel(f"{network.name}: {path} cannot be read: {error.strerror or error}") from None
    if (len(taken), digest.hexdigest()) != (network.size, network.sha256):
        difference = _difference(network, len(taken), digest.hexdigest())
        raise BadModel(f"{network.name}: {path} is damaged: {difference}; add it again")
    return bytes(taken)


class OpenNetwork:
    """A network ready to run, on one core of the CPU. Run it in a worker: it holds its thread while it counts."""

    def __init__(self, network: Network, session: "onnxruntime.InferenceSession") -> None:
        self.network = network
        self._session = session

    def run(self, *inputs: NDArray[np.float32] | NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        """The outputs for these inputs, both in the order of `models.toml`."""
        names = [each.name for each in self.network.inputs]
        return tuple(self._session.run(list(self.network.outputs), dict(zip(names, inputs, strict=True))))


def open_network(name: str, folder: Path) -> OpenNetwork:
    """Load a network that is installed, or BadModel with the reason."""
    network = known(name)
    if not network.file.endswith(".onnx"):
        raise BadModel(f"{name} is no ONNX network: {network.file} is opened by MediaPipe")
    checked = read(name, folder)
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise BadModel(f"{name} needs onnxruntime: {error}") from None
    options = ort.SessionOptions()
    # a kiosk has two cores and a camera to serve: no pool, and no thread that spins between frames
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(checked, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # its exceptions share no ancestor of their own
        raise BadModel(f"{name}: onnxruntime cannot load it: {_first_line(error)}") from None
    for kind, ours, theirs in (
        ("inputs", {each.name for each in network.inputs}, {each.name for each in session.get_inputs()}),
        ("outputs", set(network.outputs), {each.name for each in session.get_outputs()}),
    ):
        if ours != theirs:
            raise BadModel(f"{name} has the {kind} {sorted(theirs)}, models.toml says {sorted(ours)}")
    return OpenNetwork(network, session)


def _blocks(path: Path, expected: int) -> Iterator[bytes]:
    """A file's bytes, a block at a time; no more than it takes to see that it is longer than expected."""
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a file")  # a pipe would wait for ever
    taken = 0
    with path.open("rb") as file:
        while taken <= expected and (block := file.read(min(BLOCK, expected + 1 - taken))):
            taken += len(block)
            yield block


def _recognised(called: str, size: int, sha256: str) -> Network:
    """The network with this checksum; for any other file the nearest one, in words."""
    for network in listed():
        if network.sha256 == sha256:
            return network
    near = difflib.get_close_matches(called, [network.file for network in listed()], n=1, cutoff=0.7)
    alike = [network for network in listed() if network.file in near]
    alike += [network for network in listed() if network.size == size]
    if not alike:
        raise BadModel(f"{called} is no network that the product knows (sha256 {sha256[:12]}...)")
    raise BadModel(f"{called} resembles {alike[0].name} but is not it: {_difference(alike[0], size, sha256)}")


def _difference(network: Network, size: int, sha256: str) -> str:
    if size < network.size:
        return f"truncated, {size} bytes of {network.size}"
    if size > network.size:
        return f"longer than its {network.size} bytes"
    return f"as long, but with other content (sha256 {sha256[:12]}... instead of {network.sha256[:12]}...)"


def _sync_folder(folder: Path) -> None:
    # a rename is durable only when its folder is; file systems that cannot do it say EINVAL
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

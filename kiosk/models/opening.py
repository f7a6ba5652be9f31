"""Opening a network: the only place that touches onnxruntime; what it opens is held to its row in `models.toml`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadModel
from kiosk.network import Network

if TYPE_CHECKING:
    import onnxruntime


class OpenNetwork:
    """A network ready to run, on one core of the CPU. Run it in a worker: it holds its thread while it counts."""

    def __init__(self, network: Network, session: "onnxruntime.InferenceSession") -> None:
        self.network = network
        self._session = session

    def run(self, *inputs: NDArray[np.float32] | NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        """The outputs for these inputs, both in the order of `models.toml`."""
        names = [each.name for each in self.network.inputs]
        return tuple(self._session.run(list(self.network.outputs), dict(zip(names, inputs, strict=True))))


def open_bytes(network: Network, content: bytes) -> OpenNetwork:
    """Load a network from bytes that were checked, or were made here, or BadModel; held to its inputs and outputs."""
    name = network.name
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
        session = ort.InferenceSession(content, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # its exceptions share no ancestor of their own
        raise BadModel(f"{name}: onnxruntime cannot load it: {_first_line(error)}") from None
    theirs = {each.name: each for each in session.get_inputs()}
    outputs = {each.name: each for each in session.get_outputs()}
    for kind, ours, found in (
        ("inputs", {each.name for each in network.inputs}, set(theirs)),
        ("outputs", set(network.outputs), set(outputs)),
    ):
        if ours != found:
            raise BadModel(f"{name} has the {kind} {sorted(found)}, models.toml says {sorted(ours)}")
    for each in network.inputs:
        shape, kind = theirs[each.name].shape, theirs[each.name].type
        if not _suits(each.shape, shape) or kind != _TYPES[each.type]:
            raise BadModel(f"{name} takes {each.name} as {kind} {shape}, models.toml says {each.type} {[*each.shape]}")
    # a single row of numbers with names must have as many; of several outputs each says less than all labels
    size = outputs[network.outputs[0]].shape[-1] if len(network.outputs) == 1 else None
    if network.labels and isinstance(size, int) and size != len(network.labels):
        raise BadModel(f"{name} gives {size} numbers, models.toml names {len(network.labels)}")
    return OpenNetwork(network, session)


_TYPES: Mapping[str, str] = {"float32": "tensor(float)", "int64": "tensor(int64)"}


def _suits(ours: tuple[int, ...], theirs: Sequence[object]) -> bool:
    """Whether two shapes can be the same; 0, or a name instead of a number, is any size."""
    return len(ours) == len(theirs) and all(
        size in (0, other) for size, other in zip(ours, theirs, strict=True) if isinstance(other, int)
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

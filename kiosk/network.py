"""What is known of a network: its row in `models.toml`, and which bytes its file must have."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

SHIPPED = Path(__file__).parent / "weights"
"""The files that are part of the product; they go before those in any folder."""


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """What a network takes: a tensor of (pixel 0..255 - mean) / scale where it takes pictures."""

    name: str
    shape: tuple[Annotated[int, Meta(ge=0)], ...]
    """As the network names it; 0 is any size."""
    type: Literal["float32", "int64"] = "float32"
    order: Literal["RGB", "BGR", "grey"] | None = None
    """Colour order, where it is a picture."""
    mean: float | tuple[float, float, float] = 0.0
    """Of all colours, or of each in its order; likewise the next."""
    scale: float | tuple[float, float, float] = 1.0

    def pixels(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A picture's bytes, colours last, on the scale of this input; order and layout are the caller's."""
        mean, scale = np.asarray(self.mean, dtype=np.float32), np.asarray(self.scale, dtype=np.float32)
        return (picture.astype(np.float32) - mean) / scale


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of `models.toml`."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    purpose: str
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")]
    """Empty where it is not known: then the first file that is added decides."""
    size: Annotated[int, Meta(ge=0)]
    """In bytes; 0 where it is not known."""
    licence: str
    """SPDX identifier."""
    attribution: str
    origin: Annotated[str, Meta(pattern=r"^https://")]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """What the outputs' numbers mean, in order."""
    logits: bool = False
    """The probabilities among them come only with a softmax."""
    url: Annotated[str, Meta(pattern=r"^(https://.+)?$")] = ""
    """Where this very file is published; empty where it must be added by hand."""
    caution: str = ""
    """What an operator should know before using it."""

    @property
    def shipped(self) -> bool:
        """Whether its file is part of the product."""
        return (SHIPPED / self.file).is_file()


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """Which bytes a network's file must have."""

    name: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(ge=0)]

    def difference(self, size: int, sha256: str) -> str:
        """In words how another file differs; empty where it does not."""
        if sha256 == self.sha256:
            return ""
        if self.size and size < self.size:
            return f"truncated, {size} bytes of {self.size}"
        if self.size and size > self.size:
            return f"longer than its {self.size} bytes"
        alike = "as long, but with " if self.size else ""
        return f"{alike}other content (sha256 {sha256[:12]}... instead of {self.sha256[:12]}...)"

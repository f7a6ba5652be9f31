"""The landmarks that need no file: MediaPipe's face mesh (478 points), from the network inside its wheel.

Kartynnik Y, Ablavatski A, Grishchenko I, Grundmann M. Real-time facial surface geometry from monocular video on
mobile GPUs. arXiv:1907.06724 (2019). Grishchenko I et al. Attention mesh. arXiv:2006.10962 (2020).
"""

import numpy as np
from numpy.typing import NDArray

from sensors.face.crop import Square, cut
from sensors.face.graph import Graph
from sensors.face.seen import Pixels, Points

SIZE = 192
"""Side of the picture that the network takes."""
POINTS = 478


class MeshNetwork:
    """The landmark network: an upright crop in, 478 points out if it shows a face."""

    def __init__(self) -> None:
        self._graph = Graph(
            'calculator: "FaceLandmarkCpu" input_stream: "IMAGE:image" input_stream: "ROI:roi" '
            'input_side_packet: "WITH_ATTENTION:with_attention" output_stream: "LANDMARKS:landmarks"',
            "landmarks",
            sides={"with_attention": True},
            whole=True,
        )
        self.name = f"mediapipe-{self._graph.version}-mesh"

    def points(self, pixels: Pixels, square: Square) -> Points | None:
        """The landmarks of the face in a square of a picture."""
        crop = cut(pixels, square, SIZE)
        message = self._graph.message(crop.pixels)
        return None if message is None else crop.in_picture(_points(message.SerializeToString()) * SIZE)

    def close(self) -> None:
        """Give its memory back."""
        self._graph.close()


def _points(wire: bytes) -> Points:
    """A NormalizedLandmarkList off the wire: for each point tag, length, and three floats with a tag of a byte."""
    rows = np.frombuffer(wire, np.uint8)
    if len(rows) != POINTS * 17:
        raise ValueError(f"{len(rows)} bytes are no {POINTS} landmarks")
    rows = rows.reshape(POINTS, 17)
    floats: NDArray[np.uint8] = np.ascontiguousarray(rows[:, [3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16]])
    return floats.view("<f4").astype(np.float32)

"""MediaPipe's graphs: its published parts, put together as we need them, with what it logs on the way kept back."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kiosk.errors import BadModel
from sensors.face.library import mediapipe, quiet_start
from sensors.face.seen import Pixels

if TYPE_CHECKING:
    from google.protobuf.message import Message  # type: ignore[import-untyped]

STEP = 33_333
"""Microseconds between two pictures; the graphs only ask that time goes on."""


class Graph:
    """One node of MediaPipe, run picture by picture in this thread's time. None of its pictures is kept."""

    def __init__(self, node: str, output: str, *, sides: dict[str, bool] | None = None, whole: bool = False) -> None:
        with quiet_start():
            try:
                mp = mediapipe()
                from google.protobuf import text_format  # type: ignore[import-untyped]
                from mediapipe.framework import calculator_pb2
                from mediapipe.framework.formats import rect_pb2
                from mediapipe.python._framework_bindings import resource_util
            except ImportError as error:
                raise BadModel(f"this MediaPipe has no graphs with models of their own: {error}") from None
            self.version = str(mp.__version__)
            resource_util.set_resource_dir(str(Path(str(mp.__file__)).parents[1]))
            text = f'input_stream: "image" output_stream: "{output}" node {{ {node} }}'
            text += ' input_stream: "roi"' if whole else ""
            text += "".join(f' input_side_packet: "{name}"' for name in sides or {})
            config = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
            try:
                self._graph = mp.CalculatorGraph(graph_config=config)
                self._getter, self._creator = mp.packet_getter, mp.packet_creator
                self._format = mp.ImageFormat.SRGB
                self._came: list[object] = []
                self._graph.observe_output_stream(output, lambda _, packet: self._came.append(packet))
                self._graph.start_run({name: self._creator.create_bool(it) for name, it in (sides or {}).items()})
                all_of_it = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1.0, height=1.0)
                self._roi = self._creator.create_proto(all_of_it) if whole else None
                self._at = 0
                # the first picture makes the rest of the noise
                self._run(np.zeros((64, 64, 3), np.uint8))
            except (RuntimeError, ValueError, FileNotFoundError) as error:
                raise BadModel(f"MediaPipe cannot start: {str(error).splitlines()[0][:200]}") from None

    def message(self, pixels: Pixels) -> "Message | None":
        """What the graph says of a picture, if anything."""
        packet = self._run(pixels)
        return None if packet is None else self._getter.get_proto(packet)

    def messages(self, pixels: Pixels) -> "list[Message]":
        """What a graph that makes lists says of a picture."""
        packet = self._run(pixels)
        return [] if packet is None else list(self._getter.get_proto_list(packet))

    def close(self) -> None:
        """Stop its threads."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def _run(self, pixels: Pixels) -> object | None:
        self._came.clear()
        self._at += STEP
        image = self._creator.create_image_frame(data=np.ascontiguousarray(pixels), image_format=self._format)
        self._graph.add_packet_to_input_stream("image", image.at(self._at))
        if self._roi is not None:
            self._graph.add_packet_to_input_stream("roi", self._roi.at(self._at))
        self._graph.wait_until_idle()
        return self._came.pop() if self._came else None

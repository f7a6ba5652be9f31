"""Writes the judge of functionals as ONNX, by hand, so that equal weights are equal bytes; with floats or with int8.

int8: each landmark has its own scale (its greatest number is 127), and is made float again when the file is opened: the
file is a quarter of the size, the counting stays that of floats. The landmarks were rounded so before anything was
learnt from them, and what is added up stays float.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.training.voice.examples import EMOTIONS, FUNCTIONALS, Examples, Features, Floats
from analytics.training.voice.rowwise import MOST, Rowwise
from kiosk import models

OPSET = 17
OWN = "voice_own"
"""Its row in models.toml says what goes in and comes out; its checksum is nobody's yet."""
PARITY = 1e-4
"""How far the written network may be from the trained one."""


def to_onnx(judge: Rowwise, temperature: float, *, small: bool = False) -> bytes:
    """Functionals in, probabilities and familiarity out; `small` is int8."""
    from onnx import TensorProto, checker, helper, numpy_helper

    if not len(judge.landmarks):
        raise ValueError("a judge without landmarks is a baseline and is not written")
    nodes, kept = [], []

    def keep(name: str, values: NDArray[np.float32] | NDArray[np.int8] | NDArray[np.int64]) -> None:
        kept.append(numpy_helper.from_array(values, name))

    def matrix(name: str, values: Features) -> None:
        if not small:
            keep(name, np.ascontiguousarray(values, np.float32))
            return
        scale = np.maximum(np.abs(values).max(axis=0), 1e-12).astype(np.float32) / np.float32(127)
        keep(f"{name}_int8", np.clip(np.rint(values / scale), -127, 127).astype(np.int8))
        keep(f"{name}_scale", scale)
        keep(f"{name}_zero", np.zeros(len(scale), np.int8))
        parts = [f"{name}_int8", f"{name}_scale", f"{name}_zero"]
        nodes.append(helper.make_node("DequantizeLinear", parts, [name], axis=1))

    keep("mean", judge.mean)
    keep("scale", judge.scale)
    keep("most", np.array(MOST, np.float32))
    keep("least", np.array(-MOST, np.float32))
    keep("weights", judge.weights)
    keep("fall", np.array(-judge.reach, np.float32))
    keep("sides", np.array([1], np.int64))
    keep("heights", np.asarray(-judge.reach * (judge.landmarks**2).sum(axis=1), np.float32))
    keep("offsets", judge.offsets / np.float32(temperature))
    matrix("landmarks", 2 * judge.reach * judge.landmarks.T)
    keep("added", judge.added / np.float32(temperature))
    nodes += [
        helper.make_node("Sub", ["functionals", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "least", "most"], ["clipped"]),
        helper.make_node("Mul", ["clipped", "weights"], ["standard"]),
        helper.make_node("MatMul", ["standard", "landmarks"], ["turned"]),
        helper.make_node("Mul", ["standard", "standard"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "sides"], ["length"], keepdims=1),
        helper.make_node("Mul", ["length", "fall"], ["far"]),
        helper.make_node("Add", ["turned", "heights"], ["near"]),
        helper.make_node("Add", ["near", "far"], ["exponent"]),
        helper.make_node("Exp", ["exponent"], ["likeness"]),
        helper.make_node("MatMul", ["likeness", "added"], ["sums"]),
        helper.make_node("Add", ["sums", "offsets"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
        # of the landmark that is most alike: whoever asks about no speech is told so
        helper.make_node("ReduceMax", ["likeness"], ["familiarity"], axes=[1], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "voice",
        [helper.make_tensor_value_info("functionals", TensorProto.FLOAT, ["examples", FUNCTIONALS])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["examples", len(EMOTIONS)]),
            helper.make_tensor_value_info("familiarity", TensorProto.FLOAT, ["examples"]),
        ],
        kept,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="health-kiosk"
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


@dataclass(frozen=True, slots=True)
class Written:
    """A network's file as the sensor process will run it."""

    content: bytes

    def probabilities(self, examples: Examples) -> Floats:
        """(k, emotions)."""
        found, _ = models.open_bytes(models.known(OWN), self.content).run(examples.functionals)
        return np.asarray(found, np.float64)

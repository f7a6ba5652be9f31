"""The network as ONNX, by hand, so that equal weights are equal bytes; held to the trained one before it is used."""

import numpy as np
from numpy.typing import NDArray

from analytics.fusion_learned import FEATURES, MODALITIES, Deviations, LearnedFusion
from analytics.fusion_learned.network import OWN
from analytics.training.fusion.logistic import Platt, share
from analytics.training.fusion.network import Learned
from analytics.training.fusion.table import BLOCKS
from kiosk import models

Floats = NDArray[np.float64]

OPSET = 17
PARITY = 1e-4
"""How far the written network may be from the trained one."""


def to_onnx(learned: Learned, platt: Platt) -> bytes:
    """Features and presence in, calibrated probability of stress out, for any number of rows."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, kept = [], []

    def constant(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        kept.append(numpy_helper.from_array(values, name))
        return name

    def node(kind: str, sources: list[str], target: str) -> str:
        nodes.append(helper.make_node(kind, sources, [target]))
        return target

    def side_by_side(sources: list[str], target: str) -> str:
        nodes.append(helper.make_node("Concat", sources, [target], axis=1))
        return target

    def affine(source: str, layer: tuple[NDArray[np.float32], NDArray[np.float32]], name: str) -> str:
        weight, bias = constant(f"{name}_weight", layer[0]), constant(f"{name}_bias", layer[1])
        nodes.append(helper.make_node("Gemm", [source, weight, bias], [name], transB=1))
        return name

    parts = []
    layers = learned.layers
    axis = constant("columns", np.array([1], dtype=np.int64))
    for place, (block, layer) in enumerate(zip(BLOCKS, layers.encoders, strict=True)):
        ends = [constant(f"from{place}", np.array([block.start], dtype=np.int64))]
        ends.append(constant(f"to{place}", np.array([block.stop], dtype=np.int64)))
        own = node("Slice", ["features", *ends, axis], f"own{place}")
        there = [constant(f"at{place}", np.array([place], dtype=np.int64))]
        there.append(constant(f"after{place}", np.array([place + 1], dtype=np.int64)))
        mask = node("Slice", ["present", *there, axis], f"there{place}")
        bent = node("Tanh", [affine(own, layer, f"encoder{place}")], f"embedded{place}")
        parts.append(node("Mul", [bent, mask], f"kept{place}"))
    sofar = side_by_side(parts, "joint")
    codes = []
    for number, (one, two, three, four) in enumerate(layers.cascade):
        inner = node("Relu", [affine(sofar, one, f"down{number}")], f"half{number}")
        code = node("Relu", [affine(inner, two, f"deep{number}")], f"code{number}")
        codes.append(code)
        if len(codes) == len(layers.cascade):
            # what the last one would add is asked by nobody
            break
        outer = node("Relu", [affine(code, three, f"up{number}")], f"back{number}")
        sofar = node("Add", [sofar, affine(outer, four, f"residual{number}")], f"imagined{number}")
    said = side_by_side(codes, "codes") if codes else sofar
    first = node("Relu", [affine(said, layers.classifier[0], "hidden")], "bent")
    # Platt's numbers are part of the last layer
    weight, bias = layers.classifier[1]
    last = (
        (weight * np.float32(platt.slope)).astype(np.float32),
        (bias * np.float32(platt.slope) + np.float32(platt.offset)).astype(np.float32),
    )
    node("Sigmoid", [affine(first, last, "logit")], "stress")
    graph = helper.make_graph(
        nodes,
        "fusion_cra",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["windows", len(FEATURES)]),
            helper.make_tensor_value_info("present", TensorProto.FLOAT, ["windows", len(MODALITIES)]),
        ],
        [helper.make_tensor_value_info("stress", TensorProto.FLOAT, ["windows", 1])],
        kept,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="health-kiosk"
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def held(learned: Learned, platt: Platt, content: bytes, seen: Deviations) -> None:
    """Both say the same of these rows; else RuntimeError, and nothing is given out."""
    ours = share(platt.slope * learned.layers.run(seen.z, seen.present.astype(np.float64)) + platt.offset)
    theirs = LearnedFusion(models.open_bytes(models.known(OWN), content)).probability(seen)
    there = seen.present.any(axis=1)
    if not np.allclose(ours[there], theirs[there], rtol=0.0, atol=PARITY):
        raise RuntimeError(f"the written network is off by {np.abs(ours[there] - theirs[there]).max():.1e}")

"""The card of a network: what it is, what it learnt from, what it is worth, what it must not be taken for."""

import hashlib

import numpy as np

from analytics.rppg import methods
from analytics.rppg.neural import RATE, NeuralPulse
from analytics.training.disturbances import disturbed
from analytics.training.evaluation import Figure, compare
from analytics.training.rppg import OWN, PER_MINUTE, Pulses, Trained
from kiosk import models

STRENGTHS = ((0.0005, 0.001), (0.001, 0.003), (0.003, 0.01))
"""Pulse in green, standard deviation as a share of its mean: one table row each."""
LENGTH = round(20 * RATE)
"""Samples of an example that is judged."""


def text(trained: Trained, unknown: Pulses, *, seed: int) -> str:
    """Markdown."""
    head = f"""# A pulse from skin colours: the network of `analytics.rppg.neural`

- sha256 `{hashlib.sha256(trained.onnx).hexdigest()}`, {len(trained.onnx)} bytes, {trained.weights} weights, ONNX
- Licence: Apache-2.0, as the program that made it; nobody's recordings or weights are in it
- Made by `kiosk train rppg --minutes {len(trained.losses) / PER_MINUTE:g} --seed {seed}`: \
{len(trained.losses)} batches, loss {_end(trained):.3f} at the end
- Learnt from simulated visitors alone: their pulse in simulated skin, under simulated movement, light and camera noise
- In: normalised colours of one region at {RATE:.0f} Hz, any length. Out: its pulse, flat where there is none to be seen
- Not known: how well it draws the pulse of real faces against a reference. It is an option; nothing asks it by itself

Synthetic figures: {len(unknown.waves)} visitors that it never saw, {LENGTH / RATE:.0f} s each, disturbances drawn
anew by the generator that it was trained with. The rate is the highest peak between 39 and 210 beats a minute;
everything is answered. They verify the program and say nothing about accuracy in people.

| pulse in green (SD) | method | error of the rate (1/min) | off by > 3/min | likeness |
|---|---|---|---|---|
"""
    rows = [
        f"| {100 * low:.2f} .. {100 * high:.2f} % | {each.method} | {each.error:.1f} "
        f"| {round(each.wrong * each.examples)} of {each.examples} | {each.likeness:.2f} |"
        for (low, high), figures in zip(STRENGTHS, judged(trained, unknown), strict=True)
        for each in figures
    ]
    return head + "\n".join(rows) + "\n"


def judged(trained: Trained, unknown: Pulses) -> list[tuple[Figure, ...]]:
    """For each strength of the pulse: the published methods and the network on the same colours."""
    network = NeuralPulse(models.open_bytes(models.known(OWN), trained.onnx))
    sides = (("CHROM", methods.chrom), ("POS", methods.pos), ("network", network))
    waves = unknown.waves[:, :LENGTH] - unknown.waves[:, :LENGTH].mean(axis=1, keepdims=True)
    waves /= np.maximum(waves.std(axis=1, keepdims=True), 1e-9)
    tables = []
    for place, strengths in enumerate(STRENGTHS):
        rng = np.random.default_rng([place, 11])
        colours = disturbed(waves, unknown.skins, rng, strengths=strengths)
        tables.append(tuple(compare(name, method, colours, waves) for name, method in sides))
    return tables


def _end(trained: Trained) -> float:
    """The loss of the last tenth."""
    return float(np.mean(trained.losses[-max(1, len(trained.losses) // 10) :]))

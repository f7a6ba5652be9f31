"""Whether two of something published are of one person: what an attacker has, two attackers, and what they reach.

The plain attacker takes distances, every number scaled to its spread. The learned one has records of other people and
knows who is who among them: it fits how numbers vary within a person and between people and takes the likelihood ratio
(two-covariance model: Brummer N, de Villiers E 2010, Odyssey, "The speaker partitioning problem"; Prince SJD, Elder JH
2007, doi:10.1109/ICCV.2007.4409052). Nobody whom it learned from is among those whom it is tried on. Both are scored
by AUC (chance .5) and by how often the nearest of a gallery with one record of each person is the right one; intervals
of 95 % by drawing people.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from kiosk.signals import MOTION_CHANNELS, REGIONS
from tests.privacy_photos import Seen

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

SHRINK = 0.1
"""Of the covariance within a person towards a sphere: there are some 180 records for up to 100 numbers."""
SPLITS = 4
"""Times that people are divided into those to learn from and those to try, both ways each time."""
DRAWS = 400
GALLERIES = 20
LEAST_RECORDS = 4
"""For each of those."""
COLOURS = "rgb: colours, and light"


@dataclass(frozen=True, slots=True)
class Match:
    """What an attack reached, with intervals of 95 %."""

    auc: float
    auc_range: tuple[float, float]
    first: float
    """Share of records whose nearest of the gallery is the right person."""
    first_range: tuple[float, float]
    chance: float
    """The same for guessing."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Likeness of each record with each other, among people who were tried together."""

    records: Places
    likeness: Floats


def published(seen: list[Seen]) -> dict[str, Floats]:
    """What an attacker makes of what left, by signal: a row for each record.

    Of several pictures the mean and the standard deviation of each number; colours and counts as logarithms, regions
    against the whole face.
    """
    rgb = _filled([_summary([sight.rgb for sight in each.sights], _colours) for each in seen])
    counts = _filled([_summary([sight.rgb for sight in each.sights], _counts) for each in seen])
    motion = _filled([_summary([sight.motion for sight in each.sights]) for each in seen])
    units = _filled([_summary([sight.units for sight in each.sights if sight.units is not None]) for each in seen])
    scores = _filled([_summary([sight.scores for sight in each.sights if sight.scores is not None]) for each in seen])
    light = [MOTION_CHANNELS.index("light"), MOTION_CHANNELS.index("light") + len(MOTION_CHANNELS)]
    light = [column for column in light if column < motion.shape[1]]
    dark = np.delete(motion, light, axis=1)
    groups = {
        COLOURS: np.hstack([rgb, motion[:, light]]),
        "rgb: pixel counts": counts,
        "face_motion, without light": dark,
        "face_units": units,
        "face_scores": scores,
    }
    return {name: values for name, values in groups.items() if values.shape[1]}


def plain(values: Floats) -> list[Scored]:
    """Minus the squared distance."""
    spread = values.std(axis=0)
    scaled = values[:, spread > 1e-9] / spread[spread > 1e-9]
    length = (scaled**2).sum(axis=1)
    return [Scored(np.arange(len(values)), 2 * scaled @ scaled.T - length[:, None] - length)]


def learned(values: Floats, people: Places) -> list[Scored]:
    """Likelihood ratios, learned from half of the people and tried on the others."""
    found = []
    for split in range(SPLITS):
        half = np.random.default_rng(split).permutation(people.max() + 1) % 2
        for side in (0, 1):
            tried = half[people] == side
            likeness = _likelihood_ratio(values[~tried], people[~tried], values[tried])
            found.append(Scored(np.flatnonzero(tried), likeness))
    return found


def fused(signals: list[Floats], people: Places) -> list[Scored]:
    """Likelihood ratios of each signal by itself, added up: the strongest attacker here.

    One that takes all numbers at once loses a whole face's shape among them (from .58 to no more than .62); this one
    does not (`kiosk bench privacy`).
    """
    each = [learned(values, people) for values in signals]
    return [
        Scored(parts[0].records, np.asarray(np.sum([part.likeness for part in parts], axis=0)))
        for parts in zip(*each, strict=True)
    ]


def match(scored: list[Scored], people: Places, labels: Places | None = None) -> Match:
    """What an attack reached; with labels, AUC is among pairs of the same label alone."""
    drawn = _drawn(people)
    hits, sizes = [], []
    for each in scored:
        own = people[each.records]
        hits.append(_firsts(each.likeness, own, people.max() + 1))
        sizes.append(len(np.unique(own)))
    aucs = _curve(scored, people, labels, drawn)
    share = np.nanmean(hits, axis=0)
    told = np.isfinite(share)
    firsts = (drawn[:, told] @ share[told]) / drawn[:, told].sum(axis=1)
    return Match(float(aucs[0]), _range(aucs[1:]), float(share[told].mean()), _range(firsts), 1 / float(np.mean(sizes)))


def beyond(scored: list[Scored], control: list[Scored], people: Places) -> tuple[float, float, float]:
    """By how much the AUC of an attack is above that of a control on the same pairs, with its interval.

    Both are tried on the same draws of people (paired bootstrap: Efron & Tibshirani 1993, ISBN 0-412-04231-2). Who
    learns nothing and is tried on all people at once is tried as the control is, one half after the other.
    """
    if len(scored) == 1:
        (whole,) = scored
        scored = [Scored(each.records, whole.likeness[np.ix_(each.records, each.records)]) for each in control]
    drawn = _drawn(people)
    above = _curve(scored, people, None, drawn) - _curve(control, people, None, drawn)
    return float(above[0]), *_range(above[1:])


def _colours(rows: Floats) -> Floats:
    """Log luminance: of the whole face, then of each region against it."""
    logs = np.log(rows.reshape(len(rows), len(REGIONS), 4)[:, :, :3] + 1.0).mean(axis=2)
    return np.column_stack([logs[:, 0], logs[:, 1:] - logs[:, :1]])


def _counts(rows: Floats) -> Floats:
    logs = np.log(rows.reshape(len(rows), len(REGIONS), 4)[:, :, 3] + 1.0)
    return np.column_stack([logs[:, 0], logs[:, 1:] - logs[:, :1]])


def _as_it_is(rows: Floats) -> Floats:
    return rows


def _summary(rows: list[NDArray[np.float32]], of: Callable[[Floats], Floats] = _as_it_is) -> Floats:
    """Mean and standard deviation of what is known; of a single row only the row."""
    if not rows:
        return np.empty(0)
    values = of(np.array(rows, dtype=np.float64))
    known = np.isfinite(values)
    count = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    mean = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    if len(values) == 1:
        return np.asarray(mean)
    spread = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count, 1))
    return np.concatenate([mean, np.where(count > 0, spread, np.nan)])


def _filled(rows: list[Floats]) -> Floats:
    """One table; what is unknown is the median of the others."""
    width = max(len(row) for row in rows)
    table = np.array([row if len(row) == width else np.full(width, np.nan) for row in rows])
    for column in table.T:
        known = np.isfinite(column)
        column[~known] = np.median(column[known]) if known.any() else 0.0
    return table


def _likelihood_ratio(known: Floats, people: Places, tried: Floats) -> Floats:
    middle, spread = known.mean(axis=0), known.std(axis=0)
    used = spread > 1e-9
    known, tried = ((each[:, used] - middle[used]) / spread[used] for each in (known, tried))
    _, people, counts = np.unique(people, return_inverse=True, return_counts=True)
    means = np.array([known[people == person].mean(axis=0) for person in range(len(counts))])
    off = known - means[people]
    within = off.T @ off / (len(known) - len(counts))
    between = known.T @ known / len(known) - within
    size = len(within)
    within = (1 - SHRINK) * within + SHRINK * np.trace(within) / size * np.eye(size)
    # in these axes what varies within a person is 1, between people `strength`
    strength, axes = eigh((between + between.T) / 2, within)
    strength, rows = np.maximum(strength, 0.0), tried @ axes
    total = strength + 1.0
    area = total**2 - strength**2
    own = rows**2 @ (0.5 / total - 0.5 * total / area)
    return np.asarray(own[:, None] + own + (rows * (strength / area)) @ rows.T)


def _drawn(people: Places) -> NDArray[np.int64]:
    """How often each person is in each draw; the same draws for everybody who asks."""
    count = people.max() + 1
    return np.random.default_rng(5).multinomial(count, np.full(count, 1.0 / count), size=DRAWS)


def _curve(scored: list[Scored], people: Places, labels: Places | None, drawn: NDArray[np.int64]) -> Floats:
    """AUC of all people, then of each draw of them; the mean of all divisions into learned from and tried."""
    curves = []
    for each in scored:
        own = people[each.records]
        one, other = np.triu_indices(len(own), 1)
        if labels is not None:
            alike = labels[each.records][one] == labels[each.records][other]
            one, other = one[alike], other[alike]
        curves.append(_aucs(each.likeness[one, other], own[one], own[other], drawn))
    return np.asarray(np.mean(curves, axis=0))


def _aucs(likeness: Floats, one: Places, other: Places, drawn: NDArray[np.int64]) -> Floats:
    """AUC of all, then of each draw of people."""
    order = np.argsort(likeness, kind="stable")
    values, one, other = likeness[order], one[order], other[order]
    same = one == other
    # ties count half
    _, tie = np.unique(values, return_inverse=True)
    result = []
    for counts in np.vstack([np.ones((1, drawn.shape[1]), np.int64), drawn]):
        weight = np.where(same, counts[one], counts[one] * counts[other]).astype(np.float64)
        yes, no = np.bincount(tie, weight * same), np.bincount(tie, weight * ~same)
        below = np.cumsum(no) - 0.5 * no
        result.append(float(yes @ below / max(yes.sum() * no.sum(), 1e-9)))
    return np.array(result)


def _firsts(likeness: Floats, people: Places, count: int) -> Floats:
    """For each person, how often the nearest of a gallery was the right one; NaN for those who were not tried."""
    chance = np.random.default_rng(6)
    own = np.unique(people)
    hits, tries = np.zeros(count), np.zeros(count)
    for _ in range(GALLERIES):
        gallery = np.array([chance.choice(np.flatnonzero(people == person)) for person in own])
        probes = np.setdiff1d(np.arange(len(people)), gallery)
        near = likeness[np.ix_(probes, gallery)]
        # equals are guessed among
        near = near + 1e-9 * np.abs(near).max() * chance.random(near.shape)
        np.add.at(tries, people[probes], 1)
        np.add.at(hits, people[probes], own[np.argmax(near, axis=1)] == people[probes])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hits / tries)


def _range(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)

"""What was told beside what was true, and how that is summed up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

OURS = "ours"
HEAD = ("method", "asked", "answered", "MAE", "RMSE", "worst", "> 3", "> 5", "MAE where ours told")
FAR, FARTHER = 3.0, 5.0
"""Per minute: from which on an answer is wrong."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One method's answer to one question; None where it gave none."""

    method: str
    case: str
    """Of which table row."""
    measure: str
    truth: float
    told: float | None
    what: str = ""
    """The question in words, for who looks for the worst ones."""

    @property
    def error(self) -> float | None:
        """How far too high."""
        return None if self.told is None else self.told - self.truth


def summed(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Cells of HEAD but the first and the last."""
    asked = list(answers)
    errors = np.array([each.error for each in asked if each.error is not None], dtype=np.float64)
    if not asked:
        return ("0",) + ("-",) * 6
    share = f"{len(errors)} ({100 * len(errors) / len(asked):.0f} %)"
    if not len(errors):
        return (str(len(asked)), share, *("-",) * 5)
    off = np.abs(errors)
    return (str(len(asked)), share, f"{off.mean():.2f}", f"{np.sqrt(np.mean(off**2)):.2f}", f"{off.max():.1f}",
            _share(off > FAR), _share(off > FARTHER))  # fmt: skip


def _share(flags: Sequence[bool] | np.typing.NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(flags))
    return f"{count} ({100 * count / len(flags):.0f} %)"


def rows(answers: Sequence[Answer], measure: str, *, by_case: bool = True) -> list[tuple[str, ...]]:
    """A row per case and method, ours first; with `by_case` false all cases are one."""
    chosen = [each for each in answers if each.measure == measure]
    names = sorted({each.method for each in chosen}, key=lambda name: (not name.startswith(OURS), name))
    cases = list(dict.fromkeys(each.case for each in chosen)) if by_case else ["all"]
    known = {(each.case, each.what) for each in chosen if each.method == OURS and each.told is not None}
    table = []
    for case in cases:
        for name in names:
            mine = [each for each in chosen if each.method == name and (not by_case or each.case == case)]
            shared = [abs(each.error) for each in mine if each.error is not None and (each.case, each.what) in known]
            table.append((case, name, *summed(mine), f"{np.mean(shared):.2f}" if shared else "-"))
    return table


def worst(answers: Sequence[Answer], count: int = 5) -> list[tuple[str, ...]]:
    """Our worst answers, so many of each measure, for who wants to mend them."""
    ours = [each for each in answers if each.method.startswith(OURS) and each.error is not None]
    ours.sort(key=lambda each: -abs(each.error or 0.0))
    chosen = [
        each
        for measure in dict.fromkeys(each.measure for each in answers)
        for each in [one for one in ours if one.measure == measure][:count]
    ]
    return [
        (each.measure, each.method, each.case, each.what, f"{each.truth:.1f}", f"{each.told:.1f}") for each in chosen
    ]


def interval(count: int, of: int) -> str:
    """A share with its exact 95 % interval (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404)."""
    if not of:
        return "-"
    low, high = stats.binomtest(count, of).proportion_ci(0.95, method="exact")
    return f"{count}/{of} = {100 * count / of:.2f} % ({100 * low:.2f} .. {100 * high:.2f} %)"

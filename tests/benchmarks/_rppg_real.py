"""Real: fingers before a phone's camera, frame by frame, beside the intervals of a chest strap."""

from pathlib import Path

import numpy as np

from analytics import ppg
from analytics.beats import Beats
from tests.analytics.test_ppg_recordings import SEEN, finger, numbers, told
from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._measuring import report
from tests.benchmarks._rppg_ours import final, of_colours, whole
from tests.benchmarks._rppg_rivals import HEART, asked
from tests.benchmarks._rppg_scores import HEAD, OURS, Answer, rows


def run(folder: Path) -> None:
    """All seven recordings, whole."""
    answers: list[Answer] = []
    cells: list[tuple[object, ...]] = []
    for place in sorted((folder / "ppg" / "welltory").glob("subject_*")):
        track, rr = finger(folder, place.name)
        steps = np.diff(rr)
        truth = dict(
            zip(HEART, (60.0 / rr.mean(), 1000 * np.std(rr, ddof=1), 1000 * np.sqrt(np.mean(steps**2))), strict=True)
        )
        known = of_colours(track.times, track.samples.astype(np.float64))
        contact = ppg.beats(track)
        methods = {OURS: final(known), f"{OURS}, as a contact pulse": _contact(contact)}
        methods |= {
            name: asked(method, whole(known)) for name, method in {**rivals.RIVALS, "red alone": rivals.red}.items()
        }
        name = place.name + (" (seen)" if place.name in SEEN else "")
        for method, values in methods.items():
            answers += [
                Answer(method, "", measure, float(truth[measure]), values.get(measure), name) for measure in HEART
            ]
            off = (values.get(measure) for measure in HEART)
            shown = (
                "absent" if value is None else f"{value - truth[measure]:+.1f}"
                for measure, value in zip(HEART, off, strict=True)
            )
            cells.append((name, method, " ".join(f"{truth[measure]:.1f}" for measure in HEART), *shown))
    report(
        "real: finger before a phone's camera, ~30 pictures a second, less the chest strap's RR (7 people)",
        ("recording", "method", "strap: HR, SDNN, RMSSD", "HR /min", "SDNN ms", "RMSSD ms"),
        cells,
    )
    for measure in HEART:
        report(f"real: the same, {measure}", HEAD, [row[1:] for row in rows(answers, measure, by_case=False)])


def _contact(found: Beats) -> dict[str, float | None]:
    return dict(zip(HEART, numbers(found), strict=True)) if told(found) else dict.fromkeys(HEART)

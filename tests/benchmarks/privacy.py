"""What leaves the camera in a second, and whether it tells who sat there.

KIOSK_RECORDINGS=... kiosk bench privacy          people=142 by default; about four minutes of CPU
KIOSK_RECORDINGS=... kiosk bench privacy 40       the same with fewer people

The rates are synthetic (a rendered visitor), the matching is real (press photographs, grey). An attack that does not
work proves nothing, so the same attack is shown on what never leaves.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kiosk.bus import MemoryBus
from kiosk.messages import Chunk
from kiosk.signals import SIGNALS
from sensors.drivers.simulated import Person, Scene
from sensors.drivers.simulated.portrait import Portrait, write
from tests.benchmarks._expression_photos import installed
from tests.benchmarks._measuring import report
from tests.privacy_controls import beside_the_face, build, circumstances, recogniser, same_label
from tests.privacy_matching import COLOURS, Match, Places, Scored, beyond, fused, learned, match, plain, published
from tests.privacy_photos import Seen, photos, sittings, stills, who
from tests.privacy_traces import Overseen, Shown, found, traces
from tests.privacy_visit import Told, seconds, told

FILM = 6
HEAD = ("what the attacker has", "attacker", "AUC", "95 %", "same label", "95 %", "nearest right", "95 %", "guessing")


def main() -> None:
    """Tables of bytes and of matching."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    people = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as into:
        models = installed(Path(named), Path(into))
        _bytes(models)
        chosen = photos(Path(named), people=people)
        for title, look in (("sittings: a photograph as a visit", sittings), ("stills", stills)):
            begin = time.process_time()
            seen = look(chosen, models)
            count = len({each.photo.person for each in seen})
            spent = time.process_time() - begin
            report(
                f"real: {title}; {len(seen)} of {count} people, {spent:.0f} CPU seconds; chance: AUC .5",
                HEAD,
                _matching(seen),
            )
            report(
                f"real: {title}; by how much AUC is above that of label and light together, on the same pairs",
                ("what the attacker has", "above", "95 %"),
                _above(seen),
            )


def _bytes(models: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        film, folder = Path(place) / "visitor.mkv", Path(place) / "data"
        folder.mkdir()
        write(film, Portrait(Person(seed=3), Scene.ideal(), width=320, height=240).frames(FILM))
        shown = Shown()
        left = asyncio.run(told(film, folder, [MemoryBus()] * 3, lambda: Overseen(shown, models)))
    report("synthetic: bytes per second of one visitor, all networks installed", ("signal", *_COLUMNS), _rates(left))
    looked_for = traces(shown)
    searched = sum(map(len, left.places.values()))
    report(
        "synthetic: traces of pictures, landmarks and tensors",
        ("traces looked for", "places", "bytes searched", "found"),
        [(len(looked_for), len(left.places), searched, len(found(looked_for, left.places)))],
    )


_COLUMNS = ("rows/s", "numbers in a row", "samples and times", "budget", "on the wire (JSON)")


def _rates(left: Told) -> Iterable[tuple[object, ...]]:
    span = seconds(left.chunks)
    parts: dict[str, list[tuple[Chunk, int]]] = defaultdict(list)
    rest = 0
    for message, payload in zip(left.messages, left.payloads, strict=True):
        if isinstance(message, Chunk):
            parts[message.name].append((message, len(payload)))
        else:
            rest += len(payload)
    total = 0.0
    for name, chunks in sorted(parts.items()):
        rows = sum(chunk.count for chunk, _ in chunks) / span
        size = sum(len(chunk.samples) + len(chunk.offsets or b"") for chunk, _ in chunks) / span
        wire = sum(length for _, length in chunks) / span
        total += wire
        yield name, f"{rows:.1f}", len(chunks[0][0].channels), f"{size:.0f}", SIGNALS[name].budget, f"{wire:.0f}"
    yield "all of the camera", "", "", "", "", f"{total:.0f}"
    yield "status, session, events, receipts", "", "", "", "", f"{rest / span:.0f}"
    yield "a picture of 320 x 240, not compressed", "", "", "", "", 320 * 240 * 3


def _matching(seen: list[Seen]) -> Iterable[tuple[str, ...]]:
    people, labels = who(seen)
    told = published(seen)
    for name, values in told.items():
        yield _row(name, "plain", *_both(plain(values), people, labels))
        yield _row(name, "learned", *_both(learned(values, people), people, labels))
    face = [values for name, values in told.items() if name != COLOURS]
    together = np.hstack(list(told.values()))
    yield _row("all, as one row of numbers", "plain", *_both(plain(together), people, labels))
    yield _row("all, as one row of numbers", "learned", *_both(learned(together, people), people, labels))
    yield _row("all but colours and light", "fused", *_both(fused(face, people), people, labels))
    yield _row("EVERYTHING PUBLISHED", "fused", *_both(fused(list(told.values()), people), people, labels))
    leak = build(seen)
    yield _row("control: a face's distances", "learned", *_both(learned(leak, people), people, labels))
    yield _row(
        "control: all published and those", "fused", *_both(fused([*told.values(), leak], people), people, labels)
    )
    yield _row("control: a recogniser on the pictures", "plain", *_both(recogniser(seen), people, labels))
    yield _row(
        "control: light beside the face", "learned", *_both(learned(beside_the_face(seen), people), people, labels)
    )
    yield _row("control: the expression's label", "plain", match(same_label(labels), people), None)
    yield _row("control: label and light together", "fused", match(circumstances(seen, people, labels), people), None)


def _above(seen: list[Seen]) -> Iterable[tuple[str, ...]]:
    """Label and light are told by the event, whoever was there: what is above them may be the face."""
    people, labels = who(seen)
    control = circumstances(seen, people, labels)
    told = published(seen)
    attacks = {name: learned(values, people) for name, values in told.items()}
    attacks["EVERYTHING PUBLISHED"] = fused(list(told.values()), people)
    attacks["control: a recogniser on the pictures"] = recogniser(seen)
    for name, scored in attacks.items():
        above, low, high = beyond(scored, control, people)
        yield name, f"{above:+.3f}", f"{low:+.3f} .. {high:+.3f}"


def _both(scored: list[Scored], people: Places, labels: Places) -> tuple[Match, Match]:
    return match(scored, people), match(scored, people, labels)


def _row(name: str, attacker: str, all_pairs: Match, alike: Match | None) -> tuple[str, ...]:
    return (
        name,
        attacker,
        f"{all_pairs.auc:.3f}",
        _range(all_pairs.auc_range),
        f"{alike.auc:.3f}" if alike else "-",
        _range(alike.auc_range) if alike else "-",
        f"{all_pairs.first:.3f}",
        _range(all_pairs.first_range),
        f"{all_pairs.chance:.3f}",
    )


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.3f} .. {ends[1]:.3f}"


if __name__ == "__main__":
    main()

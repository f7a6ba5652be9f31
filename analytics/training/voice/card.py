"""The card of a voice network: what it is, what it learnt from, what it is worth, what it must not be taken for."""

import hashlib
from collections.abc import Sequence

import numpy as np

from analytics.training.voice import Trained
from analytics.training.voice.calibration import by_speakers, unweighted
from analytics.training.voice.examples import EMOTIONS
from analytics.training.voice.judging import Judged


def text(trained: Trained, judged: Judged, corpora: Sequence[str], *, versions: int, seed: int) -> str:
    """Markdown."""
    before, after = judged.beliefs()
    speakers = sorted(set(judged.speakers.tolist()))
    return f"""# How speech sounds: the voice network of `sensors.sound.emotion`

- sha256 `{hashlib.sha256(trained.onnx).hexdigest()}`, {len(trained.onnx)} bytes with float32, \
{len(trained.small)} bytes with int8 (sha256 `{hashlib.sha256(trained.small).hexdigest()}`), ONNX
- Licence: Apache-2.0, as the program that made it. Learnt from the Berlin database of emotional speech (Burkhardt,
  Paeschke, Rolfes, Sendlmeier & Weiss 2005, doi:10.21437/Interspeech.2005-446), freely available, CC0-1.0 as far as
  known
- Made by `kiosk train voice --versions {versions} --seed {seed}`: {len(judged.places)} utterances of {len(speakers)} \
speakers, {trained.examples} with disturbed versions
- In: {trained.judge.mean.size} statistics of up to four seconds of speech. Out: probabilities of {", ".join(EMOTIONS)}
- **Acted German speech**, in a studio: what actors play is stronger and purer than what people feel. It says how speech
  sounds, not what somebody feels; other languages, ages and illnesses of the voice were not trained
- Real figures: each speaker judged by a network that did not know that speaker, nor normalised or calibrated with them

Calibration on unknown speakers, before -> with the temperature: Brier {before.brier:.3f} -> {after.brier:.3f}, log loss
{before.log_loss:.3f} -> {after.log_loss:.3f}, expected calibration error {before.error:.3f} -> {after.error:.3f}.

{_tables(judged, corpora)}"""


def _tables(judged: Judged, corpora: Sequence[str]) -> str:
    lines = []
    for number, name in enumerate(corpora):
        of = judged.corpora == number
        told, emotions, speakers = judged.told[of], judged.emotions[of], judged.speakers[of]
        low, high = by_speakers(told, emotions, speakers)
        classes = sorted(set(emotions.tolist()))
        whole, among = unweighted(told, emotions), judged.recall(number, classes)
        hits = {each: int(((told == each) & (emotions == each)).sum()) for each in classes}
        chosen = f"; among its own {len(classes)} emotions {among:.3f}" if len(classes) < len(EMOTIONS) else ""
        lines += [
            f"## {name}",
            "",
            f"Unweighted average recall {whole:.3f} (speakers drawn anew: {low:.2f} to {high:.2f}){chosen}.",
            "",
            "| emotion | told as itself |",
            "|---|---|",
            *(f"| {EMOTIONS[each]} | {hits[each]} of {int((emotions == each).sum())} |" for each in classes),
            "",
            "| speaker | right | unweighted average recall |",
            "|---|---|---|",
            *(
                f"| {each} | {int((told == emotions)[speakers == each].sum())} of {int((speakers == each).sum())} "
                f"| {unweighted(told[speakers == each], emotions[speakers == each]):.2f} |"
                for each in np.unique(speakers).tolist()
            ),
            "",
        ]
    return "\n".join(lines)

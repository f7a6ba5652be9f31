"""`kiosk train`: networks of our own, each an ONNX file with a card beside it."""

import typer

from kiosk.commands.train import affect, fusion, rppg, voice

app = typer.Typer()
train = typer.Typer(help="Train networks (needs the `train` extra: torch, onnx).", no_args_is_help=True)
app.add_typer(train, name="train")
for _command in (rppg.rppg, voice.voice, fusion.fusion, affect.affect):
    train.command()(_command)

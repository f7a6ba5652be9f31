"""`kiosk bench`: measurements. They live with the tests, so a checkout is needed."""

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

FOLDER = Path(__file__).parents[2] / "tests" / "benchmarks"


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which one; without a name they are listed.")] = "",
) -> None:
    """Run a benchmark. What follows its name is passed on: `kiosk bench pipeline --help`."""
    if not FOLDER.is_dir():
        typer.echo("kiosk: the benchmarks are in the source tree (tests/benchmarks), not in the wheel", err=True)
        raise typer.Exit(2)
    if name not in _names():
        typer.echo(f"benchmarks: {', '.join(_names())}", err=bool(name))
        raise typer.Exit(2 if name else 0)
    sys.argv = [f"kiosk bench {name}", *context.args]
    # benchmarks share the brokers and databases of the tests
    sys.path.insert(0, str(FOLDER.parents[1]))
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")

"""The command line, and with `kiosk/commands` the composition root: here the four packages are joined."""

import typer

from kiosk.commands import (
    analyze,
    audit,
    backup,
    bench,
    catalogue,
    demo_data,
    doctor,
    erase,
    export,
    keys,
    kiosks,
    reanalyze,
    replay,
    services,
    train,
    up,
    users,
)

app = typer.Typer(
    help="health-kiosk: sensors, analytics, recorder, API and dashboard of a health-screening kiosk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold measurements and secrets
)
for group in (
    up,
    services,
    users,
    analyze,
    replay,
    doctor,
    kiosks,
    catalogue,
    train,
    bench,
    erase,
    export,
    keys,
    backup,
    audit,
    reanalyze,
    demo_data,
):
    app.add_typer(group.app)


def main() -> None:
    """Entry of the console script."""
    app(prog_name="kiosk")


if __name__ == "__main__":
    main()

"""`kiosk keys`: the master key, which wraps all other keys of the key store."""

from typing import Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import KioskError

app = typer.Typer()
keys = typer.Typer(help="Look after the key store's master key.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("rewrap")
def rewrap(
    new: Annotated[
        str,
        typer.Option(
            envvar="KIOSK_NEW_MASTER_KEY",
            prompt="The new master key (openssl rand -base64 32)",
            hide_input=True,
            help="32 bytes in base64. Better asked for, or in the environment, than on the command line.",
        ),
    ],
) -> None:
    """Wrap all keys with a new master key. Stop recorder and API before, and give them the new one after."""
    from api.store.keys import KeyStore, master_key

    settings = load_settings()
    given = settings.master_key
    try:
        old = master_key(settings.key_file, given.get_secret_value() if given else None)
        fresh = master_key(settings.key_file, new.strip())
        store = KeyStore(settings.keys, old)
        # on the disk before anything is under it: whatever happens in between, one of the two files opens the store
        beside = settings.key_file.with_name(settings.key_file.name + ".new")
        if given is None:
            beside.unlink(missing_ok=True)
            master_key(beside, None, fresh)
        count = store.rewrap(fresh)
        store.close()
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(FAILED) from None
    if given is None:
        beside.replace(settings.key_file)
        typer.echo(f"{count} keys are under the new master key, which is in {settings.key_file} now.")
    else:
        typer.echo(f"{count} keys are under the new master key: set KIOSK_MASTER_KEY to it now.")

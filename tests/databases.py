"""A database with its key store beside it, as the settings of a folder describe them."""

from pathlib import Path

from pydantic import SecretStr

from api.store import Database
from kiosk.settings import Settings


def database(folder: Path, url: str | None = None) -> Database:
    """The database of a data folder: at `url`, else SQLite in the folder. Its keys are in the folder."""
    return Database.to(Settings(data=folder, database_url=SecretStr(url) if url else None))

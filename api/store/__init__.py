"""Every SQL statement. A transaction is a context manager: it commits at its end, here and nowhere else."""

from sqlalchemy.exc import SQLAlchemyError as StoreError
from sqlalchemy.orm import Session as Transaction

from api.store.clock import utc_now
from api.store.database import Database, DatabaseDown
from api.store.keys import Destroyed, KeyStore, KeysUnusable
from api.store.sealing import Tampered, Vault, vault_of

__all__ = [
    "Database",
    "DatabaseDown",
    "Destroyed",
    "KeyStore",
    "KeysUnusable",
    "StoreError",
    "Tampered",
    "Transaction",
    "Vault",
    "utc_now",
    "vault_of",
]

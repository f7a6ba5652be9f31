"""Every SQL statement. A transaction is a context manager: it commits at its end, here and nowhere else."""

from sqlalchemy.exc import SQLAlchemyError as StoreError
from sqlalchemy.orm import Session as Transaction

from api.store.database import Database, DatabaseDown, utc_now

__all__ = ["Database", "DatabaseDown", "StoreError", "Transaction", "utc_now"]

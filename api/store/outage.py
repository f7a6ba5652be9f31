"""Which of the database's errors mean that it is away, and which that we are wrong."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted


def is_outage(error: SQLAlchemyError) -> bool:
    """Whether trying again later may help."""
    if isinstance(error, OperationalError | InterfaceError | PoolExhausted):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated

"""Kinds of columns that several tables have."""

from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

MAIN = "main"
"""The clinic that is there from the start."""


def big(*, nullable: bool = False, **more: Any) -> Any:  # noqa: ANN401 - Field() says Any, so that it fits any type
    """A 64-bit integer: nanoseconds, or a count without bound."""
    return Field(sa_column=Column(BigInteger, nullable=nullable, **more))


def sealed(*, nullable: bool = False) -> Any:  # noqa: ANN401
    """What only a key opens: `api.store.sealing` makes and reads it."""
    return Field(sa_column=Column(LargeBinary, nullable=nullable))

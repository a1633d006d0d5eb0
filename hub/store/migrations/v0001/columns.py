"""Physical columns as the first migration knew them; frozen, apart from the types of today's code."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

Default = str | None


def _column(name: str, kind: Any, null: bool, default: Default) -> sa.Column[Any]:
    server = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=null, server_default=server)


def key(name: str) -> sa.Column[Any]:
    """A primary key whose value is given."""
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False)


def identity(name: str) -> sa.Column[Any]:
    """A primary key that the database numbers."""
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False)


def text(name: str, null: bool = True, default: Default = None) -> sa.Column[Any]:
    """Text of any length."""
    return _column(name, sa.Text(), null, default)


def big(name: str, null: bool = True, default: Default = None) -> sa.Column[Any]:
    """64-bit integer: counts and ids."""
    return _column(name, sa.BigInteger(), null, default)


def whole(name: str, null: bool = True, default: Default = None) -> sa.Column[Any]:
    """32-bit integer."""
    return _column(name, sa.Integer(), null, default)


def flag(name: str, null: bool = True, default: Default = None) -> sa.Column[Any]:
    """Boolean."""
    return _column(name, sa.Boolean(), null, default)


def money(name: str, null: bool = True) -> sa.Column[Any]:
    """Two decimal places; hundredths on SQLite."""
    return _column(name, sa.Numeric(18, 2).with_variant(sa.BigInteger(), "sqlite"), null, None)


def qty(name: str, null: bool = True) -> sa.Column[Any]:
    """Six decimal places; millionths on SQLite."""
    return _column(name, sa.Numeric(18, 6).with_variant(sa.BigInteger(), "sqlite"), null, None)


def percent(name: str, null: bool = True) -> sa.Column[Any]:
    """Four decimal places; ten-thousandths on SQLite."""
    return _column(name, sa.Numeric(9, 4).with_variant(sa.BigInteger(), "sqlite"), null, None)


def moment(name: str, null: bool = True) -> sa.Column[Any]:
    """Timestamp in UTC; text on SQLite."""
    return _column(name, sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite"), null, None)


def day(name: str, null: bool = True) -> sa.Column[Any]:
    """Date; text on SQLite."""
    return _column(name, sa.Date().with_variant(sa.Text(), "sqlite"), null, None)


def document(name: str, null: bool = True) -> sa.Column[Any]:
    """JSON; text on SQLite."""
    return _column(name, sa.Text().with_variant(postgresql.JSONB(), "postgresql"), null, None)

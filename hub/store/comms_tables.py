"""Tables of what follows from letters, calls, messages and meetings: whose they are, threads, whom to call back.

All of it is derived from activities, contact points and what persons said, and can be made anew from them. A record id
here may be one that was merged away: readers follow the redirect.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Table, Text, literal_column, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from hub.store.tables import CHILDREN, metadata
from hub.store.types import CleanText, Timestamp, surrogate


class email_domain(FunctionElement[str]):  # noqa: N801 - it reads as the SQL function that it is
    """What stands after the ``@`` of an address; both databases have an index by it over the clients' addresses."""

    name = "email_domain"
    type = Text()
    inherit_cache = True


@compiles(email_domain, "sqlite")
def _of_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    address = compiler.process(element.clauses, **how)
    return f"substr({address}, instr({address}, '@') + 1)"


@compiles(email_domain)
def _of_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    return f"split_part({compiler.process(element.clauses, **how)}, '@', 2)"


_EMAIL = "system = 'email'"
#: Written out, since a partial index is used only where the statement itself says the same.
IS_EMAIL = CHILDREN["contact_point"].c.system == literal_column("'email'")
Index(
    "ix_contact_point_email_domain",
    email_domain(CHILDREN["contact_point"].c.value_norm),
    sqlite_where=text(_EMAIL),
    postgresql_where=text(_EMAIL),
    _table=CHILDREN["contact_point"],
)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger(), primary_key=key, autoincrement=False, nullable=null)


def _word(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, CleanText(), nullable=null)


#: Clients, leads and employees of an activity. ``kind``: matched, candidate or employee; ``rule``: by which it is here;
#: ``handle``: the address or number that told, empty where none did; ``place``: of candidates, the likeliest first.
activity_party = Table(
    "activity_party",
    metadata,
    _number("activity_id", key=True),
    _number("record_id", key=True),
    _word("entity"),
    _word("kind"),
    _word("rule"),
    _word("role", null=True),
    _word("handle"),
    _number("place"),
    Index(None, "record_id"),
    sqlite_with_rowid=False,
)

#: One row an activity. ``state``: matched, ambiguous, unmatched, ignored, manual; ``rule``: why, ``manual`` for good.
#: ``domain``: corporate domain of a correspondent whose address nobody has. ``thread_id``: the lowest activity of the
#: letters that hang together; ``subject_key``: hash of correspondent and subject, odd for an answer that names none.
#: ``decided_by``, ``decided_at``: a person's word.
activity_match = Table(
    "activity_match",
    metadata,
    Column("activity_id", surrogate(), primary_key=True, autoincrement=False),
    _word("state"),
    _word("rule"),
    _word("domain", null=True),
    _number("thread_id", null=True),
    _number("subject_key", null=True),
    _word("decided_by", null=True),
    Column("decided_at", Timestamp(), nullable=True),
    Index(None, "state"),
    Index(None, "domain"),
    Index(None, "thread_id"),
    Index(None, "subject_key"),
)

#: Letters that name each other: each Message-ID seen, as a hash, with the thread it belongs to.
thread_key = Table(
    "thread_key",
    metadata,
    Column("hash", surrogate(), primary_key=True, autoincrement=False),
    _number("thread_id"),
    Index(None, "thread_id"),
)

#: Numbers that called and were not answered since. ``calls``: how often; ``task_id``: the task to call back, if one was
#: given (``NULL`` for what was read silently).
call_back = Table(
    "call_back",
    metadata,
    Column("handle", CleanText(), primary_key=True),
    _number("activity_id"),
    Column("missed_at", Timestamp(), nullable=False),
    _number("calls"),
    _number("task_id", null=True),
    Index(None, "missed_at"),
    sqlite_with_rowid=False,
)

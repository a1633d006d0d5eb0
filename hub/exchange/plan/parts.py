"""What a plan is made of, as its file holds it."""

from __future__ import annotations

from typing import Literal

import msgspec

#: How an item comes about: ``record`` a system's record as read · ``gone`` the system says that there is none ·
#: ``zero`` a balance no longer lists it · ``rules`` other rules, no record · ``sent`` follows from sending, by itself.
Kind = Literal["record", "gone", "zero", "rules", "sent"]

#: Why a record or what is owed stays behind.
Behind = Literal["quarantined", "parked", "held", "outgoing"]


class Cell(msgspec.Struct, frozen=True):
    """One change, in words (``spell``). ``op``: as in the change log, ``insert`` for what a new record holds."""

    op: str
    field: str | None
    before: str | None
    after: str | None


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one record of one system would change here.

    ``op``: ``create``, ``update``, an end such as ``mark``, ``link`` (it belongs to a record that is known here) or
    ``seen`` (nothing that readers see).
    ``record``: number of the record, ``None`` for a new one; ``version`` is its ``row_version`` at planning time.
    ``told``: version that the system had; ``row_hash`` of its raw record. ``mark``: ``spell.mark_of`` its log rows.
    """

    kind: Kind
    op: str
    route: str
    entity: str
    mark: str
    record: int | None = None
    label: str = ""
    system: str = ""
    stream: str = ""
    external_id: str = ""
    version: int | None = None
    told: str | None = None
    row_hash: int | None = None
    changes: tuple[Cell, ...] = ()

    @property
    def key(self) -> str:
        """What the change log's rows of it are found by."""
        return f"{self.system}:{self.stream}/{self.external_id}" if self.external_id else f"{self.entity}#{self.record}"


class Outgoing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one record of one system would be told.

    ``external_id``: empty for a record to be made there, whose key is given when that is done. ``card``: another
    record that stands for the same one, ``system:stream/external id``. ``first``: two full cards met, so that it is
    sent only by a plan.
    """

    op: Literal["create", "update"]
    route: str
    entity: str
    system: str
    stream: str
    card: str
    external_id: str = ""
    record: int | None = None
    label: str = ""
    first: bool = False
    changes: tuple[Cell, ...] = ()

    @property
    def key(self) -> str:
        """How it is told to a person."""
        return f"{self.system}:{self.stream}/{self.external_id or '+'}"


class Left(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stays behind; ``reason`` is a code."""

    what: Behind
    route: str
    stream: str
    external_id: str
    reason: str
    field: str = ""
    value: str = ""

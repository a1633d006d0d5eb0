"""What documents do to registers when they are posted.

Movements are computed from the documents each time they are asked for, unless a document was changed without being
posted anew (PATCH through OData): then ``World.frozen`` keeps the movements it had. Which document makes which
movements is a matter of the configuration (``movements_ut``, ``movements_unf``, ``movements_bp``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from stand.onec.model import EMPTY_REF
from stand.onec.world import Record, Rows, World, type_name

#: Register → rows that posting a document makes.
Made = dict[str, Callable[[], Rows]]
#: What posting one kind of document does.
Posting = Callable[[World, Record], Made]


class Movement(NamedTuple):
    """The record set of one recorder in one register."""

    recorder_type: str
    recorder: str
    date: str
    rows: Callable[[], Rows]


def movement(document: Record, number: int, kind: str, **fields: Any) -> Record:
    """One record of a document; ``kind``: ``Receipt``, ``Expense`` or empty. Empty values are left out."""
    head = {"Period": document.get("Date", ""), "LineNumber": str(number), "Active": True}
    if kind:
        head["RecordType"] = kind
    return head | {name: value for name, value in fields.items() if value not in (0, EMPTY_REF, "")}


def of_document(world: World, name: str, document: Record) -> Made:
    """Register → rows that posting this document makes; empty for a document that is not posted."""
    posting = world.configuration.postings.get(name)
    return posting(world, document) if posting and document.get("Posted") else {}


def _documents(world: World) -> Iterator[tuple[str, str, Record, Made]]:
    for name in world.configuration.postings:
        for document in world.tables[name]:
            frozen = world.frozen.get((name, document["Ref_Key"]))
            if frozen is None:
                yield type_name(name), name, document, of_document(world, name, document)
            else:
                kept = {register: (lambda rows=rows: rows) for register, rows in frozen.items()}
                yield type_name(name), name, document, kept  # type: ignore[misc]
    for document in world.hidden:
        yield document["~type"], "", document, document["~movements"]


def of_register(world: World, register: str) -> list[Movement]:
    """All record sets of a register in its own order: by type of recorder, then by date."""
    found = [
        Movement(kind, document["Ref_Key"], _date(world, name, document, register), made[register])
        for kind, name, document, made in _documents(world)
        if register in made
    ]
    found.sort(key=lambda item: (item.recorder_type, item.date))
    return found


def _date(world: World, name: str, document: Record, register: str) -> str:
    """When a document's movements happened; those it had before a PATCH keep the date they had."""
    kept = world.frozen.get((name, document["Ref_Key"]), {}).get(register)
    return str(kept[0]["Period"] if kept else document.get("Date", ""))


def freeze(world: World, name: str, key: str) -> None:
    """Keep the movements a document has now, whatever happens to its fields next."""
    document = world.get(name, key)
    if document is not None and (name, key) not in world.frozen:
        world.frozen[name, key] = {reg: rows() for reg, rows in of_document(world, name, document).items()}

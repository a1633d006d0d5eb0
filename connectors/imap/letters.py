"""Letters of an open folder as records: head and structure of a whole batch, then the texts, nothing of the files.

Whatever a letter is like, a record comes of it: by its whole source where the server cannot tell its structure, and as
one that says that it could not be read, with its source, where that fails too.
"""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.imap import whole
from connectors.imap.answers import Told
from connectors.imap.headers import Head
from connectors.imap.letter import FIELDS, Letter, Mailbox, Marks, record
from connectors.imap.session import Session
from connectors.imap.structure import TNEF, Content, Part, content, of_server
from connectors.imap.text import tidy
from hub.model.errors import RetryLater, StopRoute

HEAD = f"BODY.PEEK[HEADER.FIELDS ({' '.join(name.upper() for name in FIELDS)})]<0.65536>"
ITEMS = ("INTERNALDATE", "RFC822.SIZE", "FLAGS", "BODYSTRUCTURE", HEAD)
#: Bytes of a letter's source that are read where its parts cannot be; and that are kept of one that cannot be read.
SOURCE, KEPT = 1_048_576, 262_144
#: More letters than this in a row are not each of them bad.
_ALL_OF_THEM = 3
#: A larger ``winmail.dat`` holds files, and its text is not worth it.
_TNEF_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Where:
    """The folder that letters are read of."""

    folder: str
    uidvalidity: int
    sent: bool

    def location(self, uid: int) -> str:
        """The external id of a letter in it."""
        return f"{self.uidvalidity}:{uid}@{self.folder}"


@dataclass(slots=True)
class Batch:
    """``records`` by uid; ``gone``: uids that are no more."""

    records: dict[int, dict[str, Any]]
    gone: list[int]


def read(session: Session, where: Where, uids: Sequence[int], mailbox: Mailbox, *, text: bool = True) -> Batch:
    """Letters by uid. ``text``: with what they say."""
    told = _tolerant(session, uids, ITEMS)
    if not told and len(uids) > _ALL_OF_THEM:
        session.fetch(uids, "UID", *ITEMS)  # a server that gives none of them is broken, not they: it says so again
    missing = [uid for uid in uids if uid not in told]
    there = set(session.present(missing))
    letters = {uid: _opened(answer) for uid, answer in told.items()}
    bodies = _bodies(session, {uid: one for uid, one in letters.items() if one is not None}) if text else {}
    records: dict[int, dict[str, Any]] = {}
    for uid in uids:
        opened = letters.get(uid)
        if opened is not None:
            made = _guarded(partial(_record, where, uid, opened, bodies.get(uid, {}), mailbox))
            records[uid] = made if isinstance(made, dict) else _whole(session, where, uid, mailbox)
        elif uid in told or uid in there:
            records[uid] = _whole(session, where, uid, mailbox)
    return Batch(records, [uid for uid in missing if uid not in there])


def _tolerant(session: Session, uids: Sequence[int], items: Sequence[str]) -> dict[int, Told]:
    """What is told of a batch; where the server or its answer breaks on a letter, of all the others."""
    if not uids:
        return {}
    try:
        return session.fetch(uids, "UID", *items)
    except StopRoute:
        if len(uids) == 1:
            return {}
    half = len(uids) // 2
    return _tolerant(session, uids[:half], items) | _tolerant(session, uids[half:], items)


@dataclass(slots=True)
class _Opened:
    """What the first answer told of a letter."""

    content: Content
    head: bytes
    size: int
    arrived: datetime
    marks: Marks


def _opened(told: Told) -> _Opened | None:
    """``None`` where the answer cannot be used: it is broken, or finds nothing in a letter that has a body.

    A server that misses the marks between parts tells of none at all; the letter's source says more.
    """
    head = next((value for key, value in told.items() if key.startswith(b"BODY[HEADER")), None)
    structure = told.get(b"BODYSTRUCTURE")
    if not isinstance(head, bytes) or structure is None:
        return None
    root = _guarded(lambda: of_server(structure))
    if not isinstance(root, Part):
        return None
    found = content(root)
    if not found.files and not any(part.size for part in found.texts):
        return None
    return _Opened(found, head, _size(told), arrived(told), marks_of(told))


def _size(told: Told) -> int:
    size = told.get(b"RFC822.SIZE")
    return size if isinstance(size, int) else 0


def arrived(told: Told) -> datetime:
    """When the server got a letter, UTC."""
    moment = told.get(b"INTERNALDATE")
    return moment.astimezone(UTC) if isinstance(moment, datetime) else datetime.fromtimestamp(0, UTC)


def marks_of(told: Told) -> Marks:
    """What people did with a letter, by its flags."""
    flags = told.get(b"FLAGS")
    said = {flag.lower() for flag in flags if isinstance(flag, bytes)} if isinstance(flags, tuple) else set()
    return Marks(answered=b"\\answered" in said, flagged=b"\\flagged" in said)


def _guarded(make: Callable[[], Any]) -> Any:
    """What comes of a foreign letter, or the exception that came instead: no letter may stop the others."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever a letter breaks, it costs only itself
        return error


def _bodies(session: Session, letters: dict[int, _Opened]) -> dict[int, dict[str, bytes]]:
    """Parts to be read of each letter, by number; letters whose parts have the same numbers are asked for together."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for uid, one in letters.items():
        found = one.content
        wanted = [part.number for part in found.texts if part.size]
        wanted += [p.number for p in found.files if p.mime in TNEF and p.size <= _TNEF_BYTES]
        if wanted:
            groups[tuple(wanted)].append(uid)
    bodies: dict[int, dict[str, bytes]] = {}
    for numbers, uids in groups.items():
        items = [f"BODY.PEEK[{number}]<0.{_TNEF_BYTES if len(uids) == 1 else whole.MOST_BYTES}>" for number in numbers]
        told = _tolerant(session, uids, items)
        for uid, answer in told.items():
            bodies[uid] = {_section(key): value for key, value in answer.items() if isinstance(value, bytes)}
    return bodies


def _section(key: bytes) -> str:
    """``BODY[1.2]<0>`` is part ``1.2``."""
    return key.partition(b"[")[2].partition(b"]")[0].decode("ascii", "ignore")


def _record(where: Where, uid: int, one: _Opened, bodies: dict[str, bytes], mailbox: Mailbox) -> dict[str, Any]:
    return record(_letter(where, uid, one, bodies), mailbox)


def _letter(where: Where, uid: int, one: _Opened, bodies: dict[str, bytes]) -> Letter:
    found = one.content
    hint = whole.hint_of(found)
    text, files = whole.text_of(found, bodies, hint), list[str]()
    for part in found.files:
        if part.mime in TNEF and part.number in bodies:
            told = whole.inside_tnef(part, bodies[part.number])
            text, files = text or tidy(told.text), [*files, *told.names]
    head = Head(one.head, hint)
    return Letter(
        where.location(uid), where.folder, head, found, text, one.size, one.arrived, where.sent, files, one.marks
    )


def _whole(session: Session, where: Where, uid: int, mailbox: Mailbox) -> dict[str, Any]:
    """A letter by its source; if that cannot be had or read either, a record that says so."""
    source = b""
    try:
        told = session.fetch([uid], "UID", "INTERNALDATE", "RFC822.SIZE", "FLAGS", f"BODY.PEEK[]<0.{SOURCE}>").get(
            uid, {}
        )
        source = next((v for k, v in told.items() if k.startswith(b"BODY[]") and isinstance(v, bytes)), b"")
    except RetryLater:
        raise
    except StopRoute as error:
        return unreadable(where, uid, error.code, b"")
    if not source and not told:
        return unreadable(where, uid, "not_given", b"")

    def made() -> dict[str, Any]:
        letter = whole.read(source, where.location(uid), where.folder, arrived(told), sent=where.sent)
        letter.size, letter.marks = _size(told), marks_of(told)
        return record(letter, mailbox)

    found = _guarded(made)
    return found if isinstance(found, dict) else unreadable(where, uid, type(found).__name__, source)


def unreadable(where: Where, uid: int, problem: str, source: bytes) -> dict[str, Any]:
    """The record of a letter that could not be read: it goes to quarantine, with as much of its source as is kept."""
    return {
        "location": where.location(uid),
        "kind": "unreadable",
        "folder": where.folder,
        "line": None,
        "problem": problem,
        "raw": b64encode(source[:KEPT]).decode("ascii"),
    }

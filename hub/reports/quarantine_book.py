"""«Карантин.xlsx»: what could not pass, for a person who decides line by line and gives the file back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from hub import __version__
from hub.exchange.decisions import Line, words
from hub.exchange.naming import stream_name
from hub.model.errors import NeedsPerson
from hub.reports import facts
from hub.reports.book import Book, Column, dated_path, read_rows
from hub.store import core
from hub.store.quarantined import Choice, Quarantined, every
from hub.store.tables import ROOTS
from hub.texts import advice, sentence
from mappings.profile import read_profile
from mappings.scope import reads, refs

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from mappings.spec import FieldSpec

SHEET = "book_quarantine"
_KEY, _WORD, _VALUE = Column("book_key", hidden=True), "book_decision", Column("book_value_new", 24, asked=True)
#: Fields that name a client, the one to be preferred first.
_CLIENT = ("party", "commercial_party")


def columns(lang: str) -> tuple[Column, ...]:
    """The columns of the sheet, in order."""
    return (
        Column("book_number", 6, "number"),
        Column("book_system", 18),
        Column("book_entity", 20),
        Column("book_label", 30),
        Column("book_client", 30),
        Column("book_field", 20),
        Column("book_value", 24),
        Column("book_reason", 50),
        Column("book_advice", 50),
        Column("book_attempts", 10, "number"),
        Column("book_first", 16, "moment"),
        Column("book_last", 16, "moment"),
        Column(_WORD, 14, choices=words(lang), asked=True),
        _VALUE,
        _KEY,
    )


def export(hub: Hub, path: Path, choice: Choice, lang: str, *, force: bool = False) -> tuple[Path, int]:
    """Write the file: its path (into a folder under a name with the day) and how many records it holds.

    ``NeedsPerson``: ``book_exists`` for a file that is there and would lose its decisions, ``book_unwritable``.
    """
    at = facts.now()
    zone = hub.settings.company_timezone
    path = dated_path(path, sentence(SHEET, lang), at.astimezone(ZoneInfo(zone)).date())
    if path.exists() and not force:
        raise NeedsPerson("book_exists", path=path)
    with Book(lang, zone) as book:
        span = _Span()
        with hub.store.read() as conn:
            number = book.sheet(SHEET, columns(lang), _rows(hub, conn, choice, lang, span))
        about: list[tuple[str, Any]] = [
            ("book_what", sentence("book_what_quarantine", lang)),
            ("book_home", str(hub.settings.home.resolve())),
            ("book_made", at),
            ("book_version", __version__),
            ("book_from", span.first),
            ("book_to", span.last),
            ("book_chosen", ", ".join((*choice.routes, *choice.causes, *choice.external_ids))),
            ("book_rows", number),
        ]
        book.about(about, sentence("book_how_quarantine", lang).splitlines())
        book.save(path)
    return path, number


def read(path: Path) -> list[Line]:
    """The lines of a file that came back; ``NeedsPerson`` where it is none of ours."""
    word = Column(_WORD)
    return [
        Line(row, _text(values[_KEY.code]), _text(values[_WORD]), values[_VALUE.code])
        for row, values in read_rows(path, SHEET, (_KEY, word, _VALUE))
    ]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


class _Span:
    """The first and the last moment of what was written."""

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None

    def add(self, item: Quarantined) -> None:
        self.first = item.first_at if self.first is None else min(self.first, item.first_at)
        self.last = item.last_at if self.last is None else max(self.last, item.last_at)


def _rows(hub: Hub, conn: Connection, choice: Choice, lang: str, span: _Span) -> Iterator[list[Any]]:
    clients, number = _Clients(hub), 0
    for part in every(conn, choice):
        for item, client in zip(part, clients.names(conn, part), strict=True):
            number += 1
            span.add(item)
            yield [number, *_told(hub, item, client, lang), None, None, item.key]


def _told(hub: Hub, item: Quarantined, client: str, lang: str) -> list[Any]:
    route = hub.routes.get(item.route)
    system = hub.settings.systems.get(item.route.partition(".")[0])
    params = {**item.params, "field": item.field, "value": item.value, "stream": item.stream}
    return [
        (system.title or system.code) if system else item.route,
        (route.entity.ru if lang == "ru" else route.entity.en) if route else item.stream,
        item.label or item.external_id,
        client,
        item.field,
        item.value,
        sentence(item.reason_code, lang, **params),
        advice(item.reason_code, lang, **params),
        item.attempts,
        item.first_at,
        item.last_at,
    ]


class _Clients:
    """Who a record is about, as far as it says so: by the mappings of the files, without asking any base."""

    def __init__(self, hub: Hub) -> None:
        self._names: dict[int, tuple[str, ...]] = {}
        self._refs: dict[int, tuple[str, ...]] = {}
        self._streams: set[int] = set()
        for system in hub.settings.systems.values():
            streams = hub.streams[system.code]
            for spec in read_profile(system.profile, system.overlay):
                named: Any = spec  # has a stream's three parts, as a compiled mapping does
                by_name = {item.field.name: item for item in spec.fields}
                if spec.entity.name == "party":
                    self._streams.add(streams[stream_name(named)])
                    self._names[streams[stream_name(named)]] = _sources(by_name.get("display_name"))
                elif wanted := next((by_name[name] for name in _CLIENT if name in by_name), None):
                    self._refs[streams[stream_name(named)]] = tuple(ref.name for ref in refs(wanted.expr))

    def names(self, conn: Connection, items: Iterable[Quarantined]) -> list[str]:
        """One for each record; empty where it names nobody that is here."""
        told = [(item.stream_id, _payload(item)) for item in items]
        keys = [_first(payload, self._refs.get(stream_id, ())) for stream_id, payload in told]
        found = self._known(conn, {key for key in keys if key})
        return [
            found.get(key, "") if key else _first(payload, self._names.get(stream_id, ()))
            for key, (stream_id, payload) in zip(keys, told, strict=True)
        ]

    def _known(self, conn: Connection, keys: set[str]) -> dict[str, str]:
        if not keys:
            return {}
        link, party = core.link, ROOTS["party"]
        query = (
            select(link.c.external_id, party.c.display_name)
            .join(party, party.c.id == link.c.record_id)
            .where(link.c.stream_id.in_(self._streams), link.c.external_id.in_(keys))
        )
        return {row.external_id: row.display_name for row in conn.execute(query)}


def _sources(item: FieldSpec | None) -> tuple[str, ...]:
    return tuple(name for name, _ in reads(item.expr)) if item is not None else ()


def _payload(item: Quarantined) -> dict[str, Any]:
    try:
        data = json.loads(item.payload)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _first(payload: dict[str, Any], names: Iterable[str]) -> str:
    """The first of these values that is filled."""
    return next((str(payload[name]) for name in names if payload.get(name)), "")

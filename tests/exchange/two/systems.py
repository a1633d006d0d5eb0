"""Two or three systems in memory that know the same clients: УТ and a second branch's УТ, with few records each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.installation import make_hub

CLIENTS = "Catalog_Контрагенты"
PARTNERS = "Catalog_Партнеры"
ORDERS = "Document_ЗаказКлиента"
KEPT = {"Document", "AccumulationRegister", "InformationRegister"}


def bare(streams: frozen.Frozen, *, clients: int = 0) -> MemoryBase:
    """A base with all catalogs of the frozen one, ``clients`` of its clients, and no documents or registers."""
    chosen = {name: dict(part) for name, part in streams.items()}
    for name, part in chosen.items():
        if name.partition("_")[0] in KEPT:
            part["records"] = []
    records = [record for record in chosen[CLIENTS]["records"] if not record.get("IsFolder")]
    chosen[CLIENTS]["records"] = records[:clients]
    for name in ("Catalog_Партнеры", "Catalog_КонтактныеЛицаПартнеров"):
        chosen[name]["records"] = []
    return frozen.load(chosen)


def client(name: str, inn: str = "7707083893", kpp: str = "773601001", **more: Any) -> dict[str, Any]:
    """A legal entity of УТ with that name; ``more``: other fields of 1C."""
    return {
        "Ref_Key": str(uuid.uuid4()),
        "DataVersion": "",
        "DeletionMark": False,
        "IsFolder": False,
        "Description": name,
        "НаименованиеПолное": name,
        "ЮрФизЛицо": "ЮрЛицо",
        "ИНН": inn,
        "КПП": kpp,
        "ДополнительнаяИнформация": "",
        "КонтактнаяИнформация": [],
        **more,
    }


def phone(number: str) -> dict[str, Any]:
    """A row of contact information."""
    return {
        "LineNumber": "1",
        "Тип": "Телефон",
        "Вид_Key": str(uuid.UUID(int=1)),
        "Представление": number,
        "НомерТелефона": number,
    }


@dataclass
class Two:
    """A hub between systems; ``bases`` by code."""

    hub: Hub
    store: Store
    bases: Mapping[str, MemoryBase]
    last: RunReport | None = None
    keys: dict[str, str] = field(default_factory=dict)

    def put(self, system: str, record: Mapping[str, Any], stream: str = CLIENTS) -> str:
        """Write a record as a person does; its key."""
        self.bases[system].put(stream, dict(record))
        return str(record["Ref_Key"])

    def edit(self, system: str, key: str, stream: str = CLIENTS, **fields: Any) -> None:
        """Change fields of a record as a person does."""
        base = self.bases[system]
        base.put(stream, {**base.records[stream][key,], **fields})

    def shows(self, system: str, key: str, stream: str = CLIENTS) -> dict[str, Any]:
        """The record as the system has it now."""
        return dict(self.bases[system].records[stream][key,])

    def exchange(self, *routes: str) -> RunReport:
        """One night."""
        self.last = run_exchange(self.hub, list(routes) or None)
        return self.last

    def record(self, system: str, key: str, stream: str = CLIENTS) -> int:
        """Number of the canonical record."""
        with self.store.read() as conn:
            stream_id = self.hub.streams[system][stream]
            link = core.link
            return int(
                conn.execute(
                    select(link.c.record_id).where(link.c.stream_id == stream_id, link.c.external_id == key)
                ).scalar_one()
            )

    def golden(self, system: str, key: str, entity: str = "party", stream: str = CLIENTS) -> dict[str, Any]:
        """The row that readers see."""
        root = tables.ROOTS[entity]
        with self.store.read() as conn:
            row = conn.execute(select(root).where(root.c.id == self.record(system, key, stream))).mappings().one()
            return dict(row)

    def writes(self) -> int:
        """Requests sent so far that write."""
        return sum(traffic.writes for code in self.bases if (traffic := self.hub.traffic(code)) is not None)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table of the core."""
        with self.store.read() as conn:
            return [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key.columns)).mappings()]


def make_two(
    store: Store,
    home: Path,
    bases: Mapping[str, MemoryBase],
    routes: Mapping[str, RouteSettings] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Two:
    """A hub between the bases. By default each may write all of its clients and makes none."""
    systems = {
        code: SystemSettings(
            code=code,
            kind="memory",
            timezone="Europe/Moscow",
            profile="onec_ut11",
            page_size=20,
            role=(roles or {}).get(code),  # type: ignore[arg-type]
        )
        for code in bases
    }
    default = {f"{code}.party": RouteSettings(f"{code}.party", write="all") for code in bases}
    wanted = {**default, **(routes or {})}
    connectors = {code: MemoryConnector(base) for code, base in bases.items()}
    hub = make_hub(store, home, connectors, systems, {code: replace(one, code=code) for code, one in wanted.items()})
    return Two(hub, store, bases)

"""A small trade base in memory and an installation that exchanges with it, for tests of what Dagster runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.base import Connector
from connectors.memory import BASES, MemoryBase, MemoryConnector
from hub.model.settings import SystemSettings
from mappings.compiled import compile_profile

PROFILE = "onec_ut11"
ZONE = "Asia/Yekaterinburg"
PARTIES = "Catalog_Контрагенты"
PRODUCTS = "Catalog_Номенклатура"
ORDERS = "Document_ЗаказКлиента"
_EDM = {
    "text": "Edm.String",
    "number": "Edm.Double",
    "bool": "Edm.Boolean",
    "int": "Edm.Int64",
    "guid": "Edm.Guid",
    "date": "Edm.DateTime",
}


def guid(kind: int, number: int) -> str:
    """A reference that is the same in every run."""
    return f"00000000-0000-4000-8{kind:03d}-{number:012d}"


def _edm(wires: Mapping[str, str]) -> dict[str, str]:
    return {name: _EDM.get(wire, "Edm.String") for name, wire in wires.items()}


def define_streams(base: MemoryBase) -> None:
    """Offer every stream of the profile with the fields its mapping reads."""
    for mapping in compile_profile(PROFILE, ZONE).mappings.values():
        shape = mapping._shape
        name = mapping.stream if mapping.table == "set" else f"{mapping.stream}#{mapping.table}"
        fields = _edm(shape.wires) | {field: "Edm.Guid" for field in mapping.key if field not in shape.wires}
        if mapping.version_field:
            fields[mapping.version_field] = "Edm.String"
        base.define(name, fields, mapping.key, {part: _edm(inner.wires) for part, inner in shape.tables.items()})


def party(number: int, inn: str = "7707083893") -> dict[str, Any]:
    """A counterparty; the default ИНН has right control digits."""
    return {
        "Ref_Key": guid(1, number),
        "Description": f"Клиент {number}",
        "ЮрФизЛицо": "ЮрЛицо",
        "ИНН": inn,
        "DeletionMark": False,
    }


def product(number: int) -> dict[str, Any]:
    """A good."""
    return {"Ref_Key": guid(2, number), "Description": f"Товар {number}", "Code": f"{number:05d}", "IsFolder": False}


def order(number: int, day: str, total: float = 100.0, client: int = 1, amount: float | None = None) -> dict[str, Any]:
    """An order of one line, at noon of ``day``."""
    line = {
        "LineNumber": "1",
        "Номенклатура_Key": guid(2, 1),
        "Количество": 1,
        "Цена": total,
        "Сумма": total if amount is None else amount,
        "СуммаСНДС": total if amount is None else amount,
    }
    return {
        "Ref_Key": guid(3, number),
        "Number": f"УТ-{number:06d}",
        "Date": f"{day}T12:00:00",
        "Posted": True,
        "DeletionMark": False,
        "Контрагент_Key": guid(1, client),
        "СуммаДокумента": total,
        "ЦенаВключаетНДС": True,
        "Товары": [line],
    }


def small_base(name: str, days: tuple[str, ...] = ("2026-03-01", "2026-03-02", "2026-03-03")) -> MemoryBase:
    """Three clients, two products and two orders on each of ``days``; ``opener`` finds it by its name."""
    base = BASES[name] = MemoryBase(name)
    define_streams(base)
    for number in (1, 2, 3):
        base.put(PARTIES, party(number))
    for number in (1, 2):
        base.put(PRODUCTS, product(number))
    for position, day in enumerate(days):
        base.put(ORDERS, order(2 * position + 1, day, 100.0))
        base.put(ORDERS, order(2 * position + 2, day, 50.5, client=2))
    return base


def opener(system: SystemSettings, cache: Path | None = None) -> Connector:
    """A connector to the base that the last part of the system's address names."""
    return MemoryConnector(BASES[system.url.rpartition("/")[2]], system.title, system.node or "", system.page_size)


def write_home(
    home: Path, name: str, *, extra: str = "", store_url: str = "", zone: str = "Europe/Moscow", system: str = ""
) -> Path:
    """An installation with one system ``ut``: the base called ``name``; ``system``: more lines of it."""
    home.mkdir(parents=True, exist_ok=True)
    store = f"store_url: {json.dumps(store_url)}\n" if store_url else ""
    (home / "hub.yaml").write_text(
        f"company_timezone: {zone}\n{store}{extra}"
        "systems:\n"
        "  ut:\n"
        "    kind: memory\n"
        "    title: Торговля\n"
        f"    url: http://memory.invalid/{name}\n"
        f"    timezone: {ZONE}\n"
        f"    profile: {PROFILE}\n{system}",
        encoding="utf-8",
    )
    return home

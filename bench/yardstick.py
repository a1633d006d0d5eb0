"""The yardstick: the same pages into the same canonical rows, the plain way.

``json.loads`` for the page, a dictionary per row, SQLAlchemy Core ``executemany`` (upserts on a re-load; children of
records that are there are deleted and inserted anew), one transaction a page, statistics gathered on the way. No hash,
no skipping of what is unchanged: what a careful developer writes first. It uses the house's identity rules, so that the
contents can be compared cell by cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bench.pages import CLIENTS_SET, ORDERS_SET, PRODUCTS_SET, ZERO
from hub.model import identity
from hub.store import bulk, core, tables
from hub.store.database import Store

Row = dict[str, Any]
_ZONE = ZoneInfo("Europe/Moscow")
#: Pages after which statistics are gathered: without them PostgreSQL reads whole tables for each later page.
_ANALYZE_AFTER = frozenset({5, 50})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=_ZONE).astimezone(UTC)


def _money(value: float) -> Decimal:
    return Decimal(str(value))


class Yardstick:
    """Loads page files by set into a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.dialect = postgresql if store.dialect == "postgresql" else sqlite
        with store.begin() as conn:
            self.next_link = (conn.execute(select(func.max(core.link.c.id))).scalar() or 0) + 1
            self.next_log = (conn.execute(select(func.max(core.change_log.c.id))).scalar() or 0) + 1
            self.next_record = 1
            for name in (PRODUCTS_SET, CLIENTS_SET, ORDERS_SET):
                table = tables.metadata.tables[_ENTITY[name]]
                self.next_record = max(self.next_record, (conn.execute(select(func.max(table.c.id))).scalar() or 0) + 1)
            self.streams = self._streams(conn)
        self.records = 0

    def _streams(self, conn: Connection) -> dict[str, int]:
        return {row.name: row.id for row in conn.execute(select(core.stream.c.name, core.stream.c.id))}

    def load(self, files: dict[str, list[Path]]) -> None:
        """Every page of every set, in order, one transaction each."""
        for name, paths in files.items():
            for number, path in enumerate(paths):
                if number in _ANALYZE_AFTER:
                    with self.store.begin() as conn:
                        bulk.analyze(conn)
                rows = json.loads(path.read_bytes())["value"]
                with self.store.begin() as conn:
                    _Page(self, conn, name, rows).write()
                self.records += len(rows)


_ENTITY = {PRODUCTS_SET: "product", CLIENTS_SET: "party", ORDERS_SET: "sales_order"}


class _Page:
    def __init__(self, owner: Yardstick, conn: Connection, name: str, rows: list[Row]) -> None:
        self.owner, self.conn, self.name, self.rows = owner, conn, name, rows
        self.entity = _ENTITY[name]
        self.children: dict[str, list[Row]] = {}

    def links(self, stream: str, external_ids: Iterable[str]) -> dict[str, tuple[int, int | None]]:
        """Links by external id, expected ones made where missing."""
        wanted = sorted(set(external_ids) - {ZERO})
        link, stream_id = core.link, self.owner.streams[stream]
        found: dict[str, tuple[int, int | None]] = {}
        for start in range(0, len(wanted), 500):
            query = select(link.c.external_id, link.c.id, link.c.record_id).where(
                link.c.stream_id == stream_id, link.c.external_id.in_(wanted[start : start + 500])
            )
            found.update({row.external_id: (row.id, row.record_id) for row in self.conn.execute(query)})
        missing = []
        for external_id in wanted:
            if external_id not in found:
                found[external_id] = (self.owner.next_link, None)
                missing.append(
                    {
                        "id": self.owner.next_link,
                        "stream_id": stream_id,
                        "external_id": external_id,
                        "state": "expected",
                        "first_run": 1,
                    }
                )
                self.owner.next_link += 1
        if missing:
            self.conn.execute(link.insert(), missing)
        return found

    def write(self) -> None:
        own = self.links(self.name, [row["Ref_Key"] for row in self.rows])
        refs = self._references()
        roots, moved, log = [], [], []
        there = []
        for row in self.rows:
            link_id, record_id = own[row["Ref_Key"]]
            if record_id is None:
                record_id = self.owner.next_record
                self.owner.next_record += 1
                log.append(self._log(record_id, link_id))
            else:
                there.append(record_id)
            moved.append(
                {
                    "id": link_id,
                    "stream_id": self.owner.streams[self.name],
                    "external_id": row["Ref_Key"],
                    "record_id": record_id,
                    "state": "active",
                    "version": row["DataVersion"],
                    "first_run": 1,
                    "last_run": 1,
                }
            )
            service = {"record_state": "active", "created_by_run": 1, "updated_by_run": 1, "row_version": 1}
            roots.append({"id": record_id, **self._root(row, record_id, refs), **service})
        self._upsert(core.link, moved)
        self._upsert(tables.metadata.tables[self.entity], roots)
        self._replace_children(there)
        if log:
            self.conn.execute(core.change_log.insert(), log)

    def _log(self, record_id: int, link_id: int) -> Row:
        self.owner.next_log += 1
        return {
            "id": self.owner.next_log,
            "run_id": 1,
            "entity": self.entity,
            "record_id": record_id,
            "link_id": link_id,
            "op": "insert",
            "at": datetime.now(UTC),
        }

    def _upsert(self, table: Any, rows: list[Row]) -> None:
        statement = self.owner.dialect.insert(table)
        changed = {name: statement.excluded[name] for name in rows[0] if name != "id"}
        self.conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), rows)

    def _replace_children(self, record_ids: list[int]) -> None:
        parent = f"{self.entity}_id"
        for name, rows in self.children.items():
            table = tables.metadata.tables[name]
            for start in range(0, len(record_ids), 500):
                self.conn.execute(delete(table).where(table.c[parent].in_(record_ids[start : start + 500])))
            if rows:
                self.conn.execute(table.insert(), rows)

    def _references(self) -> dict[str, dict[str, tuple[int, int | None]]]:
        wanted: dict[str, set[str]] = {}
        for row in self.rows:
            for stream, field in _FIELDS[self.name]:
                wanted.setdefault(stream, set()).add(row[field])
            for line in row.get("Товары", ()):
                for stream, field in _LINE_FIELDS:
                    wanted.setdefault(stream, set()).add(line[field])
        return {stream: self.links(stream, ids) for stream, ids in wanted.items()}

    def _root(self, row: Row, record_id: int, refs: dict[str, dict[str, tuple[int, int | None]]]) -> Row:
        def link(stream: str, external_id: str) -> int | None:
            found = refs[stream].get(external_id)
            return found[0] if found else None

        if self.name == PRODUCTS_SET:
            return _product(row, link)
        if self.name == CLIENTS_SET:
            self._client_children(row, record_id, link)
            return _client(row, link)
        self._lines(row, record_id, link)
        return _order(row, link)

    def _client_children(self, row: Row, record_id: int, link: Any) -> None:
        identifiers = self.children.setdefault("party_identifier", [])
        schemes = (("inn", row["ИНН"]), ("kpp", row["КПП"]), ("okpo", row["КодПоОКПО"]))
        for number, (scheme, value) in enumerate(schemes, 1):
            norm = identity.identifier_norm(scheme, value)
            valid = identity.identifier_valid(scheme, norm)
            identifiers.append(
                {"party_id": record_id, "seq": number, "scheme": scheme, "value": value}
                | {"value_norm": norm, "is_valid": valid}
            )
        points = self.children.setdefault("contact_point", [])
        for number, contact in enumerate(row["КонтактнаяИнформация"], 1):
            raw = contact["АдресЭП"] or contact["Представление"]
            phone = identity.parse_phone(raw) if contact["Тип"] == "Телефон" else None
            system, norm = ("phone", phone.norm) if phone else ("email", identity.email_norm(raw)[0])
            points.append(
                {"party_id": record_id, "seq": number, "system": system, "value_raw": raw, "value_norm": norm}
                | {"ext": (phone.ext or None) if phone else None, "is_valid": phone.valid if phone else True}
            )
        self.children.setdefault("party_relationship", []).append(
            {
                "party_id": record_id,
                "seq": 1,
                "type": "legal_entity_of",
                "to_party_link_id": link("Catalog_Партнеры", row["Партнер_Key"]),
            }
        )

    def _lines(self, row: Row, record_id: int, link: Any) -> None:
        rows = self.children.setdefault("sales_order_line", [])
        for line in row["Товары"]:
            rows.append(
                {
                    "sales_order_id": record_id,
                    "line_no": int(line["LineNumber"]),
                    "product_link_id": link(PRODUCTS_SET, line["Номенклатура_Key"]),
                    "variant_link_id": link("Catalog_ХарактеристикиНоменклатуры", line["Характеристика_Key"]),
                    "unit_link_id": link("Catalog_УпаковкиЕдиницыИзмерения", line["Упаковка_Key"]),
                    "qty": _money(line["Количество"]),
                    "price": _money(line["Цена"]),
                    "vat_rate_link_id": link("Catalog_СтавкиНДС", line["СтавкаНДС_Key"]),
                    "vat_amount": _money(line["СуммаНДС"]),
                    "amount": _money(line["Сумма"]),
                    "line_key": str(int(line["КодСтроки"])),
                    "cancelled": line["Отменено"],
                }
            )


_FIELDS = {
    PRODUCTS_SET: (
        ("Catalog_УпаковкиЕдиницыИзмерения", "ЕдиницаИзмерения_Key"),
        ("Catalog_СтавкиНДС", "СтавкаНДС_Key"),
    ),
    CLIENTS_SET: (("Catalog_Партнеры", "Партнер_Key"),),
    ORDERS_SET: (
        (CLIENTS_SET, "Контрагент_Key"),
        ("Catalog_Партнеры", "Партнер_Key"),
        ("Catalog_Организации", "Организация_Key"),
        ("Catalog_ДоговорыКонтрагентов", "Договор_Key"),
        ("Catalog_Валюты", "Валюта_Key"),
        ("Catalog_Склады", "Склад_Key"),
        ("Catalog_Пользователи", "Менеджер_Key"),
    ),
}
_LINE_FIELDS = (
    (PRODUCTS_SET, "Номенклатура_Key"),
    ("Catalog_ХарактеристикиНоменклатуры", "Характеристика_Key"),
    ("Catalog_УпаковкиЕдиницыИзмерения", "Упаковка_Key"),
    ("Catalog_СтавкиНДС", "СтавкаНДС_Key"),
)


def _product(row: Row, link: Any) -> Row:
    return {
        "code": row["Code"],
        "sku": row["Артикул"],
        "name": row["Description"],
        "full_name": row["НаименованиеПолное"],
        "type": "good",
        "base_unit_link_id": link("Catalog_УпаковкиЕдиницыИзмерения", row["ЕдиницаИзмерения_Key"]),
        "vat_rate_link_id": link("Catalog_СтавкиНДС", row["СтавкаНДС_Key"]),
    }


def _client(row: Row, link: Any) -> Row:
    return {
        "kind": "organization",
        "display_name": row["Description"],
        "legal_name": row["НаименованиеПолное"],
        "is_legal_entity": True,
        "commercial_party_link_id": link("Catalog_Партнеры", row["Партнер_Key"]),
        "comment": row["ДополнительнаяИнформация"],
    }


def _order(row: Row, link: Any) -> Row:
    return {
        "number": row["Number"],
        "date": _moment(row["Date"]),
        "posting_state": "posted",
        "party_link_id": link(CLIENTS_SET, row["Контрагент_Key"]),
        "own_org_link_id": link("Catalog_Организации", row["Организация_Key"]),
        "contract_link_id": link("Catalog_ДоговорыКонтрагентов", row["Договор_Key"]),
        "currency_link_id": link("Catalog_Валюты", row["Валюта_Key"]),
        "comment": row["Комментарий"] or None,
        "total": _money(row["СуммаДокумента"]),
        "vat_included": row["ЦенаВключаетНДС"],
        "commercial_party_link_id": link("Catalog_Партнеры", row["Партнер_Key"]),
        "warehouse_link_id": link("Catalog_Склады", row["Склад_Key"]),
        "manager_link_id": link("Catalog_Пользователи", row["Менеджер_Key"]),
        "source_status": row["Статус"],
        "business_status": "in_work",
        "requested_on": _moment(row["ДатаОтгрузки"]),
        "delivery_address": row["АдресДоставки"],
    }

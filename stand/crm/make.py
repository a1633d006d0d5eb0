"""Fills the database: clients of whom a part is in the 1C stand of the same seed as well, their people and orders."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from stand.onec.configurations import UT
from stand.onec.generate.build import TODAY
from stand.onec.generate.catalogs import Base, make_catalogs, person_name
from stand.onec.generate.contacts import address, address_text, email, mobile, phone
from stand.onec.generate.goods_words import GROUPS
from stand.onec.generate.identifiers import inn_is_right, inn_of_organisation, inn_of_person, kpp, ogrn
from stand.onec.generate.luck import Luck
from stand.onec.generate.parties import make_parties
from stand.onec.generate.words import CITIES, POSITIONS
from stand.onec.world import World

#: Of so many of its first clients the 1C stand shares some: it must have been made with at least as many.
SHARED_WITH = 120
_SCHEMA = Path(__file__).with_name("schema.sql")
_SEGMENTS = ("Розница", "Опт", "Строители", "Бюджет", "Дилеры")
_STATUSES = ("lead", "active", "active", "active", "paused", "lost")
_ORDER_STATUSES = ("new", "confirmed", "in_work", "shipped", "closed", "closed", "cancelled")
_WORDS = ("Меридиан", "Заря", "Горизонт", "Родник", "Кедр", "Парус", "Маяк", "Прибой", "Сокол", "Рассвет", "Исток")
_TASKS = ("Перезвонить", "Выслать предложение", "Уточнить реквизиты", "Согласовать отгрузку", "Поздравить с юбилеем")
_KINDS = {"ЮрЛицо": "company", "ИндивидуальныйПредприниматель": "entrepreneur"}

Row = dict[str, Any]


@dataclass
class _Crm:
    """Rows by table. ``luck`` is the CRM's own: what it draws changes nothing of the 1C stand."""

    luck: Luck
    today: date
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def put(self, table: str, **fields: Any) -> Any:
        """Add a row; its key. Tables whose rows are counted get the next number."""
        rows = self.rows.setdefault(table, [])
        fields.setdefault("id", len(rows) + 1)
        rows.append(fields)
        return fields["id"]

    def key(self) -> str:
        """A key as the CRM makes them."""
        return str(uuid.UUID(int=self.luck.bits(128), version=4))

    def moment(self, most_days: int) -> str:
        """Some working hour of the last days."""
        day = self.today - timedelta(days=self.luck.whole(0, most_days))
        return str(datetime.combine(day, time(9 + self.luck.whole(0, 8), self.luck.whole(0, 59))))


def build_crm(
    path: Path, seed: int = 1, shared: int = 30, own: int = 18, orders: int = 60, today: date = TODAY
) -> dict[str, int]:
    """Make the file ``path``; how many rows each table holds.

    ``shared``: clients with the ИНН and КПП of clients of the 1C stand of the same seed. Equal arguments make equal
    content. ``sqlite3.Error`` where the file cannot be written.
    """
    crm = _Crm(Luck(seed * 7919 + 17), today)
    _users(crm)
    _products(crm)
    for known in _of_onec(seed, today)[:shared]:
        _client(crm, known)
    for _ in range(own):
        _client(crm, _own(crm))
    for number in range(orders):
        _order(crm, number + 1)
    _tasks(crm)
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(_SCHEMA.read_text(encoding="utf-8"))
        for table, rows in crm.rows.items():
            names = list(rows[0])
            places = ", ".join(f":{name}" for name in names)
            conn.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)
        conn.commit()
    return {table: len(rows) for table, rows in crm.rows.items()}


def _of_onec(seed: int, today: date) -> list[Row]:
    """Counterparties of the 1C stand whose ИНН is a right one, each ИНН once."""
    base = Base(World(UT), Luck(seed), today)
    make_catalogs(base)
    make_parties(base, SHARED_WITH)
    found: dict[str, Row] = {}
    for row in base.world.tables["Catalog_Контрагенты"].rows.values():
        inn = str(row.get("ИНН", "")).strip()
        if inn_is_right(inn) and row["ЮрФизЛицо"] in _KINDS and not row.get("DeletionMark"):
            found.setdefault(inn, row)
    return [
        {
            "kind": _KINDS[row["ЮрФизЛицо"]],
            "name": row["Description"].strip(),
            "legal_name": row["НаименованиеПолное"],
            "inn": inn,
            "kpp": row.get("КПП") or None,
            "ogrn": row.get("РегистрационныйНомер") or None,
        }
        for inn, row in found.items()
    ]


def _own(crm: _Crm) -> Row:
    """A client that only the CRM knows: a lead, a person, or a firm that never bought."""
    luck, city = crm.luck, CITIES[crm.luck.whole(0, len(CITIES) - 1)]
    roll = luck.real()
    surname, name, patronymic, _ = person_name(luck)
    if roll < 0.2:
        return {"kind": "person", "name": f"{surname} {name} {patronymic}"}
    if roll < 0.4:
        full, inn = f"{surname} {name} {patronymic}", inn_of_person(luck, city.tax)
        known = {"kind": "entrepreneur", "name": f"ИП {surname} {name[0]}.{patronymic[0]}."}
        return {**known, "legal_name": f"Индивидуальный предприниматель {full}", "inn": inn}
    word, inn = f"{luck.pick(_WORDS)}-{luck.whole(2, 99)}", inn_of_organisation(luck, city.tax)
    known = {"kind": "company", "name": f"ООО {word}", "legal_name": f'ООО "{word}"', "inn": inn, "kpp": kpp(inn)}
    return known | {"ogrn": ogrn(luck, city.tax, person=False)}


def _users(crm: _Crm) -> None:
    for _ in range(5):
        surname, name, patronymic, _ = person_name(crm.luck)
        crm.put(
            "users",
            full_name=f"{surname} {name} {patronymic}",
            email=email(crm.luck, surname).strip(),
            phone=mobile(crm.luck),
            is_active=int(crm.luck.chance(0.9)),
            updated_at=crm.moment(700),
        )


def _products(crm: _Crm) -> None:
    for number in range(24):
        group = GROUPS[number % len(GROUPS)]
        name = f"{crm.luck.pick(group.nouns)} {crm.luck.pick(group.marks)}"
        crm.put("products", sku=f"CRM-{number + 1:04d}", name=name, full_name=name, updated_at=crm.moment(600))


def _client(crm: _Crm, known: Row) -> None:
    luck, city = crm.luck, crm.luck.whole(0, len(CITIES) - 1)
    empty = dict.fromkeys(("legal_name", "inn", "kpp", "ogrn"))
    key = crm.put(
        "clients",
        id=crm.key(),
        **empty | known,
        address=address_text(address(luck, city)) if luck.chance(0.7) else None,
        status=luck.pick(_STATUSES),
        segment=luck.pick(_SEGMENTS) if luck.chance(0.8) else None,
        is_customer=1,
        is_supplier=int(luck.chance(0.1)),
        owner_id=luck.whole(1, 5),
        registered_on=crm.moment(1200)[:10],
        comment="Просили звонить после обеда" if luck.chance(0.15) else None,
        is_deleted=int(luck.chance(0.03)),
        updated_at=crm.moment(400),
    )
    word = known["name"].split()[-1].strip('"')
    for kind, value in (("phone", phone(luck, CITIES[city])), ("email", email(luck, word).strip())):
        if luck.chance(0.85):
            crm.put("client_contacts", client_id=key, kind=kind, value=value)
    if known["kind"] != "person" and luck.chance(0.7):
        _person(crm, key)


def _person(crm: _Crm, client: str) -> None:
    surname, name, patronymic, _ = person_name(crm.luck)
    key = crm.put(
        "contact_persons",
        id=crm.key(),
        client_id=client,
        full_name=f"{surname} {name} {patronymic}",
        position=crm.luck.pick(POSITIONS),
        updated_at=crm.moment(400),
    )
    crm.put("contact_person_contacts", contact_person_id=key, kind="phone", value=mobile(crm.luck))


def _order(crm: _Crm, number: int) -> None:
    luck, at = crm.luck, crm.moment(300)
    lines = []
    for place in range(1, luck.whole(1, 4) + 1):
        qty, price = luck.whole(1, 20), luck.whole(100, 90_000)
        product = luck.whole(1, len(crm.rows["products"]))
        lines.append({"line_no": place, "product_id": product, "qty": qty, "price": price / 100, "amount": qty * price})
    key = crm.put(
        "orders",
        id=crm.key(),
        number=f"C-{number:05d}",
        ordered_at=at,
        client_id=luck.pick(crm.rows["clients"])["id"],
        manager_id=luck.whole(1, 5),
        status=luck.pick(_ORDER_STATUSES),
        total=sum(line["amount"] for line in lines) / 100,
        comment="Доставка до подъезда" if luck.chance(0.1) else None,
        updated_at=at,
    )
    for line in lines:
        crm.put("order_lines", order_id=key, **line | {"amount": line["amount"] / 100})


def _tasks(crm: _Crm) -> None:
    luck = crm.luck
    for _ in range(20):
        at, done = crm.moment(60), luck.chance(0.4)
        order = luck.pick(crm.rows["orders"]) if crm.rows.get("orders") and luck.chance(0.5) else None
        crm.put(
            "tasks",
            id=crm.key(),
            title=luck.pick(_TASKS),
            status="done" if done else luck.pick(("new", "in_progress", "waiting")),
            priority=luck.pick(("normal", "normal", "high")),
            assignee_id=luck.whole(1, 5),
            author_id=luck.whole(1, 5),
            client_id=order["client_id"] if order else luck.pick(crm.rows["clients"])["id"],
            order_id=order["id"] if order else None,
            created_at=at,
            due_at=str(datetime.fromisoformat(at) + timedelta(days=luck.whole(1, 14))),
            done_at=at if done else None,
            updated_at=at,
        )

"""People who work in the base: a telephone, a comment, a line of an order, a mark of deletion. УТ only.

``python -m stand.onec.people ADDRESS DO WHO [VALUE]`` asks it of a stand that runs with ``--control``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from stand.onec.world import Record, World, rows_of

CLIENTS, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
#: Sums of a line that follow its quantity.
_SUMS = ("Сумма", "СуммаНДС", "СуммаСНДС", "СуммаРучнойСкидки", "СуммаАвтоматическойСкидки")
Said = dict[str, Any]


def work(world: World, do: str, who: str, value: str = "") -> Said:
    """Do as a user of 1C would; what it was done to, before and after.

    ``who``: of a client its ИНН or a part of its name, of an order its number. ``ValueError`` and ``LookupError`` are
    sentences.
    """
    if world.configuration.publication != "trade":
        raise ValueError("people are played in УТ only")
    if do not in DOINGS:
        raise ValueError(f"people know no {do}, they know {', '.join(DOINGS)}")
    with world.lock:
        return DOINGS[do](world, who, value)


def client(world: World, who: str) -> Record:
    """The one client that is meant. ``LookupError``: none, or several."""
    rows = [row for row in world.tables[CLIENTS] if not row.get("IsFolder")]
    exact = [row for row in rows if who in (row.get("ИНН", "").strip(), row.get("Description", "").strip())]
    found = exact or [row for row in rows if who and who.lower() in row.get("Description", "").lower()]
    if len(found) != 1:
        told = "; ".join(f"{row.get('Description')} {row.get('ИНН', '')}" for row in found[:5])
        raise LookupError(f"{len(found)} clients are meant by {who!r}" + (f": {told}" if told else ""))
    return found[0]


def _phone(world: World, who: str, value: str) -> Said:
    """The first telephone becomes another one; the only one of a client that had none."""
    record = client(world, who)
    rows = [dict(row) for row in rows_of(record.get("КонтактнаяИнформация"))]
    row = next((row for row in rows if row.get("Тип") == "Телефон"), None)
    before = row and row.get("Представление")
    if row is None:
        row = {"LineNumber": str(len(rows) + 1), "Тип": "Телефон"}
        rows.append(row)
    row |= {"Представление": value, "НомерТелефона": "".join(filter(str.isdigit, value))}
    row.pop("ЗначенияПолей", None)
    world.edit(CLIENTS, record["Ref_Key"], {"КонтактнаяИнформация": rows})
    return _said(record, before, value)


def _comment(world: World, who: str, value: str) -> Said:
    record = client(world, who)
    before = record.get("ДополнительнаяИнформация")
    world.edit(CLIENTS, record["Ref_Key"], {"ДополнительнаяИнформация": value})
    return _said(record, before, value)


def _delete(world: World, who: str, value: str) -> Said:
    """Mark the client as deleted; ``value`` ``no`` takes the mark off."""
    record, marked = client(world, who), value != "no"
    before = bool(record.get("DeletionMark"))
    world.edit(CLIENTS, record["Ref_Key"], {"DeletionMark": marked})
    return _said(record, before, marked)


def _line(world: World, who: str, value: str) -> Said:
    """The quantity of the first line becomes another one; its sums and the order's follow."""
    record = next((row for row in world.tables[ORDERS] if row.get("Number", "").strip() == who), None)
    rows = [dict(row) for row in rows_of(record.get("Товары"))] if record else []
    if record is None or not rows:
        raise LookupError(f"there is no order {who!r} with goods")
    line, wanted = rows[0], float(value)
    before = line.get("КоличествоУпаковок") or line.get("Количество") or 0
    if not before or wanted <= 0:
        raise ValueError("a quantity is above nothing")
    grows = wanted / before
    for name in ("Количество", "КоличествоУпаковок"):
        line[name] = _plain(line.get(name, 0) * grows, 3)
    for name in _SUMS:
        line[name] = _plain(line.get(name, 0) * grows, 2)
    total = sum(row.get("СуммаСНДС") or row.get("Сумма") or 0 for row in rows if not row.get("Отменено"))
    world.edit(ORDERS, record["Ref_Key"], {"Товары": rows, "СуммаДокумента": _plain(total, 2)})
    return {"order": who, "before": before, "after": _plain(wanted, 3)}


DOINGS: dict[str, Callable[[World, str, str], Said]] = {
    "phone": _phone,
    "comment": _comment,
    "line": _line,
    "delete": _delete,
}


def _said(record: Record, before: Any, after: Any) -> Said:
    return {"client": record.get("Description"), "before": before, "after": after}


def _plain(value: float, places: int) -> float | int:
    rounded = round(value, places)
    return int(rounded) if rounded == int(rounded) else rounded


def main(argv: list[str] | None = None) -> int:
    """Ask it of a running stand; prints what was changed, or why nothing was."""
    made = argparse.ArgumentParser(prog="python -m stand.onec.people", description="A user of 1C edits something")
    made.add_argument("address", help="of a stand that runs with --control, such as http://127.0.0.1:8123")
    made.add_argument("do", choices=DOINGS)
    made.add_argument("who", help="a client: ИНН or a part of its name; an order: its number")
    made.add_argument("value", nargs="?", default="", help="the new telephone, comment or quantity; of delete: no")
    asked = made.parse_args(argv)
    body = json.dumps({"do": asked.do, "who": asked.who, "value": asked.value}).encode()
    conn = http.client.HTTPConnection(urlsplit(asked.address).netloc, timeout=30)
    try:
        conn.request("POST", "/_stand/people", body)
        response = conn.getresponse()
        told = response.read().decode()
    except OSError as error:
        print(f"no stand answers at {asked.address}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    finally:
        conn.close()
    print(told, file=sys.stdout if response.status == 200 else sys.stderr)
    return 0 if response.status == 200 else 2


if __name__ == "__main__":
    sys.exit(main())

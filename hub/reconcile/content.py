"""Do the records agree with themselves: sums of lines, control digits of identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Table, case, func, select

from hub.exchange.hub import Hub, Route
from hub.model.entities import Child, Entity
from hub.reconcile.days import Days, days_to_check, shown, utc_range
from hub.reconcile.finding import MOST_ROWS, Finding
from hub.reconcile.history import local
from hub.reconcile.rows import stream_ids
from hub.store import core
from hub.store.tables import CHILDREN, ROOTS, parent_column

#: Each line is rounded by itself, so a document may differ by a kopeck per line.
PER_LINE = Decimal("0.01")
#: A share of wrong identifiers that is no news: typing errors of years.
INVALID_SHARE = 0.01


def amount_lines(entity: Entity) -> Child | None:
    """The child table whose amounts make up the document's total; None where there is none."""
    return next((child for child in entity.children if any(f.name == "amount" for f in child.fields)), None)


def line_sums(hub: Hub, route: Route) -> Finding:
    """Lines add up to the total of their document, within a kopeck per line; checked for the days last exchanged."""
    checked, wrong, worst = 0, 0, Decimal(0)
    since = None
    with hub.store.read() as conn:
        window = days_to_check(hub, route, conn)
        for row in _documents(conn, hub, route, window):
            checked += 1
            difference = _off(row, route.entity)
            if difference:
                wrong += 1
                worst = max(worst, difference)
                since = min(since or row.date, row.date)
    numbers: dict[str, int | float] = {"rc_documents": checked, "rc_wrong": wrong, "rc_worst": float(worst)}
    params: dict[str, Any] = {
        "checked": checked,
        "wrong": wrong,
        "start": shown(window.start),
        "end": shown(window.last),
    }
    if since is None:
        return Finding(passed=True, code="rc_lines_good", params=params, severity="warn", numbers=numbers)
    params |= {"worst": worst, "since": local(hub, since)}
    return Finding(passed=False, code="rc_lines_bad", params=params, severity="warn", numbers=numbers)


def _documents(conn: Connection, hub: Hub, route: Route, window: Days) -> Iterator[Row[Any]]:
    """Documents of the route's system in the window with the sums of their lines."""
    child = amount_lines(route.entity)
    assert child is not None
    root, lines, link = ROOTS[route.entity.name], CHILDREN[child.name], core.link
    start, end = utc_range(hub, route, window)
    ids = list(stream_ids(conn, route).values())
    of_document = lines.c[parent_column(route.entity)] == root.c.id
    query = (
        select(
            root.c.date,
            root.c.total,
            *([root.c.vat_included] if "vat_included" in root.c else []),
            func.count().label("lines"),
            func.sum(_kept(lines, lines.c.amount)).label("amount"),
            *([func.sum(_kept(lines, lines.c.vat_amount)).label("vat")] if "vat_amount" in lines.c else []),
        )
        .join(lines, of_document)
        .join(link, link.c.record_id == root.c.id)
        .where(root.c.date >= start, root.c.date < end, link.c.stream_id.in_(ids))
        .group_by(root.c.id)
    )
    return iter(conn.execute(query))


def _kept(lines: Table, column: Any) -> Any:
    """Amounts of cancelled lines stay in the document and out of its total."""
    if "cancelled" not in lines.c:
        return column
    return case((lines.c.cancelled.is_not(True), column), else_=None)


def _off(row: Row[Any], entity: Entity) -> Decimal:
    """By how much the lines miss the total; 0 within the tolerance. Allocations of a payment may stay below it."""
    tolerance = PER_LINE * row.lines
    amount = row.amount or Decimal(0)
    candidates = [amount - row.total]
    if not getattr(row, "vat_included", True):
        candidates.append(amount + (row.vat or 0) - row.total)
    if entity.name == "payment":
        candidates = [max(candidates[0], Decimal(0))]
    least = min(abs(difference) for difference in candidates)
    return least if least > tolerance else Decimal(0)


def identifier_digits(hub: Hub, route: Route) -> Finding:
    """The share of ИНН, КПП, ОГРН whose control digits are wrong stays below ``INVALID_SHARE``."""
    table, link = CHILDREN["party_identifier"], core.link
    with hub.store.read() as conn:
        ids = list(stream_ids(conn, route).values())
        own = select(link.c.record_id).where(link.c.stream_id.in_(ids), link.c.record_id.is_not(None))
        rows = conn.execute(
            select(
                table.c.scheme,
                func.count().label("number"),
                func.sum(case((table.c.is_valid.is_(False), 1), else_=0)).label("wrong"),
            )
            .where(table.c.party_id.in_(own), table.c.is_valid.is_not(None))
            .group_by(table.c.scheme)
            .order_by(table.c.scheme)
        ).all()
    number, wrong = sum(row.number for row in rows), sum(row.wrong for row in rows)
    share = wrong / number if number else 0.0
    numbers: dict[str, int | float] = {"rc_identifiers": number, "rc_wrong": wrong, "rc_share": round(100 * share, 2)}
    shown = tuple({"rc_scheme": row.scheme, "rc_number": row.number, "rc_wrong": row.wrong} for row in rows[:MOST_ROWS])
    good = share <= INVALID_SHARE
    params = {"number": number, "wrong": wrong, "share": f"{100 * share:.1f}"}
    return Finding(good, "rc_digits_good" if good else "rc_digits_bad", params, "warn", numbers, shown)

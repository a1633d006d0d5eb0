"""Virtual tables of registers: their parameters, both forms of a call, sums over dimensions that are not asked for."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.onec_odata.virtual import LONGEST_SEGMENT, VIRTUAL
from hub.model.errors import HubError, StopRoute
from hub.model.records import Window
from stand.onec.engine import Engine
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from tests.connectors.conftest import Open
from tests.connectors.inside import ROOT, inside
from tests.connectors.server import Reply, Request, Script, collection, fault

STOCK, SALES = "AccumulationRegister_СвободныеОстатки", "AccumulationRegister_ВыручкаИСебестоимостьПродаж"
WINDOW = Window(date(2026, 1, 1), date(2026, 2, 1))
FIRST, LAST, NEXT = (f"datetime'2026-{text}'" for text in ("01-01T00:00:00", "01-31T23:59:59", "02-01T00:00:00"))


def asked(table: str, key: tuple[str, ...] = ("А_Key",), window: Window | None = WINDOW) -> ReadRequest:
    """Read that table of a register."""
    register = "InformationRegister_X" if table.startswith("slice") else "AccumulationRegister_X"
    return ReadRequest(register, (), key, table, window)


@pytest.mark.parametrize(
    ("table", "call"),
    [
        ("balance", f"Balance(Period={NEXT},Dimensions='А')"),
        ("turnovers", f"Turnovers(StartPeriod={FIRST},EndPeriod={LAST},Dimensions='А')"),
        ("balance_and_turnovers", f"BalanceAndTurnovers(StartPeriod={FIRST},EndPeriod={LAST},Dimensions='А')"),
        ("slice_last", f"SliceLast(Period={LAST})"),
        ("slice_first", f"SliceFirst(Period={FIRST})"),
    ],
)
def test_moments_come_from_the_window(scripted: Open, table: str, call: str) -> None:
    """A balance is of the moment before its period, the others include theirs: each table covers the same days."""
    connector, server = scripted(lambda r: collection([]))
    list(connector.read(asked(table)))
    assert server.requests[0].path.partition("/")[2].partition("?")[0] == call
    assert set(VIRTUAL) == {"balance", "turnovers", "balance_and_turnovers", "slice_last", "slice_first"}


@pytest.mark.parametrize("table", VIRTUAL)
def test_without_a_window_no_moment_is_given(scripted: Open, table: str) -> None:
    """1C's own default: everything up to now."""
    connector, server = scripted(lambda r: collection([]))
    list(connector.read(asked(table, window=None)))
    list(connector.read(asked(table, window=Window(date.min, date(9999, 1, 1)))))
    assert "Period" not in server.requests[0].path + server.requests[1].path


def test_dimensions_are_those_that_are_asked_for() -> None:
    """Those of the key and of the fields, without ``_Key``; of a composite one only its value; a slice takes none."""
    connector, transport = inside(Engine(build(3, clients=5, products=3, orders=3), ROOT))
    key = ("Склад_Key", "Заказ", "Заказ_Type")
    fields = ("Контрагент_Key", "СуммаBalance", "СуммаTurnover", "MonthPeriod", "Склад_Key", "Recorder")
    for table in ("balance", "slice_last"):
        with pytest.raises(HubError):
            list(connector.read(ReadRequest(STOCK, fields, key, table)))
    assert "Dimensions='Склад,Заказ,Контрагент')" in transport.urls[0]
    assert not any("Dimensions" in url for url in transport.urls if "SliceLast" in url)


def test_a_register_with_more_dimensions_than_the_key_is_summed() -> None:
    """Stock by product alone: one row per product, with the sum over warehouses and variants."""
    connector, _ = inside(Engine(build(3, clients=20, products=15, orders=60), ROOT))
    full = ("Номенклатура_Key", "Характеристика_Key", "Склад_Key")
    each = decoded(connector.read(ReadRequest(STOCK, ("ВНаличииBalance",), full, "balance")))
    summed = decoded(connector.read(ReadRequest(STOCK, ("ВНаличииBalance",), full[:1], "balance")))
    expected: Counter[str] = Counter()
    for row in each:
        expected[row["Номенклатура_Key"]] += row["ВНаличииBalance"]
    assert len(summed) < len(each)
    assert {row["Номенклатура_Key"]: row["ВНаличииBalance"] for row in summed if row["ВНаличииBalance"]} == {
        key: total for key, total in expected.items() if total
    }


def test_rows_that_the_key_does_not_tell_apart_stop_the_route(scripted: Open) -> None:
    """They would overwrite each other in the store: the register and the key are named, nothing is delivered."""
    connector, _ = scripted(lambda r: collection([{"А_Key": "1", "Б_Key": "1"}, {"А_Key": "1", "Б_Key": "2"}]))
    with pytest.raises(StopRoute) as error:
        next(iter(connector.read(asked("slice_last"))))
    assert (error.value.code, error.value.params["key"]) == ("key_repeats", "А_Key")


def test_long_parameters_go_into_the_query(scripted: Open) -> None:
    """No segment of the path passes what IIS takes, whatever the key is."""
    connector, server = scripted(lambda r: collection([]))
    key = tuple(f"Измерение{n}_Key" for n in range(8))
    list(connector.read(asked("turnovers", key)))
    [request] = server.requests
    assert all(len(part) <= LONGEST_SEGMENT for part in request.raw.partition("?")[0].split("/"))
    assert request.path.startswith("AccumulationRegister_X/Turnovers?")
    dimensions = ",".join(name.removesuffix("_Key") for name in key)
    assert request.path.endswith(f"StartPeriod={FIRST}&EndPeriod={LAST}&Dimensions='{dimensions}'")


def only(form: str) -> Script:
    """A base that takes one form of a call and is puzzled by the other."""

    def answer(request: Request) -> Reply:
        in_query = "Balance?" in request.path
        if in_query is (form == "query"):
            return collection([{"А_Key": "1"}])
        return fault(400, "6", "Метод не найден") if in_query else Reply(400, b"<html>Bad Request</html>", "text/html")

    return answer


@pytest.mark.parametrize("form", ["path", "query"])
@pytest.mark.parametrize("window", [WINDOW, None])
def test_a_base_may_take_either_form(scripted: Open, form: str, window: Window | None) -> None:
    """What is refused one way is asked the other way, and from then on at once."""
    connector, server = scripted(only(form))
    for _ in range(2):
        assert decoded(connector.read(asked("balance", window=window))) == [{"А_Key": "1"}]
    assert len(server.requests) == (2 if form == "path" else 3)


def test_a_register_without_that_table_is_named(scripted: Open) -> None:
    """A register of turnovers has no balances: after both forms the sentence names register and table."""
    connector, _ = inside(Engine(build(3, clients=5, products=3, orders=3), ROOT))
    with pytest.raises(StopRoute) as error:
        list(connector.read(ReadRequest(SALES, (), ("Склад_Key",), "balance")))
    assert error.value.code == "unknown_table"
    assert "Balance" in error.value.sentence()
    assert SALES in error.value.sentence()
    assert "turnovers" in error.value.advice("en")


def test_what_is_wrong_with_the_base_is_not_asked_twice(scripted: Open) -> None:
    """A wrong password is no matter of form."""
    connector, server = scripted(lambda r: Reply(401))
    with pytest.raises(HubError) as error:
        list(connector.read(asked("balance")))
    assert (error.value.code, len(server.requests)) == ("auth_failed", 1)


def test_what_a_month_moved_is_the_difference_of_its_balances() -> None:
    """Turnovers from the first to the last second, balances before and after: opening and turnover make the closing."""
    world = build(3, clients=20, products=15, orders=200)
    connector, _ = inside(Engine(world, ROOT))
    dates = sorted(str(record["Date"])[:10] for record in world.records("Document_РеализацияТоваровУслуг"))
    begin, end = date.fromisoformat(dates[len(dates) // 3]), date.fromisoformat(dates[-len(dates) // 3])
    key = ("Номенклатура_Key", "Склад_Key")

    def read(table: str, window: Window) -> dict[str, Any]:
        rows = decoded(connector.read(ReadRequest(STOCK, (), key, table, window)))
        return {"|".join(row[name] for name in key): row for row in rows}

    try:
        moved = read("turnovers", Window(begin, end))
    except StopRoute as error:
        pytest.skip(f"this stand has no turnovers: {error}")
    both = read("balance_and_turnovers", Window(begin, end))
    before, after = (read("balance", Window(date.min, day)) for day in (begin, end))
    assert len(moved) > 5
    for row, found in (moved | both | before | after).items():
        sums = [
            rows.get(row, {}).get(f"ВНаличии{column}", 0)
            for rows, column in ((before, "Balance"), (moved, "Turnover"), (after, "Balance"))
        ]
        assert sums[0] + sums[1] == pytest.approx(sums[2]), found
        if row in both:
            assert both[row]["ВНаличииOpeningBalance"] == pytest.approx(sums[0])
            assert both[row]["ВНаличииClosingBalance"] == pytest.approx(sums[2])


def test_iis_takes_the_calls_as_they_are_made() -> None:
    """The stand refuses long segments as IIS does: a balance by all dimensions at a moment gets through."""
    with OneCStand(build(3, clients=20, products=15, orders=60)) as stand:
        connector = OneC(OneCSettings("ut", stand.url))
        fields = connector.streams()[f"{STOCK}#balance"].fields
        key = tuple(name for name in fields if not name.endswith("Balance"))
        window = Window(date(2000, 1, 1), date(2100, 1, 1))
        assert decoded(connector.read(ReadRequest(STOCK, (), key, "balance", window, "Period")))
        connector.close()

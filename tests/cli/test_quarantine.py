"""``obmen quarantine``: each record that could not pass, with its reason; none when all have passed."""

from __future__ import annotations

from pathlib import Path

from stand.onec.server import OneCStand
from tests.cli.conftest import Obmen, settings, write

ORDERS = "Document_ЗаказКлиента"


def test_a_broken_record_is_told_with_field_value_and_advice(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A document with an impossible date is named by number and key; mended in 1C, it leaves by itself."""
    write(home, settings(stand.url))
    order = stand.world.records(ORDERS)[0]
    key, number, date = stand.world.key_of(ORDERS, order), order["Number"], order["Date"]
    stand.world.edit(ORDERS, key, {"Date": "2026-02-31T10:00:00"})
    assert obmen("exchange").code == 1
    said = obmen("quarantine")
    assert said.code == 1
    for part in ("ut.sales_order", ORDERS, number, order["Ref_Key"], "Date", "2026-02-31T10:00:00"):
        assert part in said.out
    record = obmen("quarantine", "ut.sales_order", "--json").document["result"]["records"][0]
    assert (record["reason"], record["field"], record["attempts"]) == ("bad_date", "Date", 1)
    assert record["sentence"]
    assert record["advice"]
    stand.world.edit(ORDERS, key, {"Date": date})
    assert obmen("exchange", "ut.sales_order").code == 0
    said = obmen("quarantine", "--lang", "en")
    assert (said.code, said.out.strip()) == (0, "Quarantine is empty: every record has passed.")


def test_an_unknown_route_is_a_wrong_call(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A route that does not exist ends with 2 and lists the valid ones."""
    write(home, settings(stand.url))
    said = obmen("quarantine", "ut.nothing")
    assert said.code == 2
    assert "ut.sales_order" in said.err

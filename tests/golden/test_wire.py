"""Golden scenarios 10, 12, 13, 14, 15 and 28: what a real 1C does to an exchange, over HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connectors.onec_odata.connector import OneC
from hub.store import core
from stand.onec.server import OneCStand
from tests.exchange.two.systems import CLIENTS, ORDERS
from tests.golden.wire import Wire


def states(wire: Wire) -> dict[str, str]:
    """How each route that reads, and each that writes, ended in the last night, if not well."""
    assert wire.world.last is not None
    states = {one.route: one.state for one in wire.world.last.routes}
    states |= {one.route: one.state for one in wire.world.last.pushes}
    return {route: state for route, state in states.items() if state != "completed"}


def test_10_a_closed_period_opens_the_next_day(wire: Wire, stand: OneCStand) -> None:
    """A remark comes for an order of a closed period: it waits with that reason, and goes when the period is open."""
    key = wire.order()
    wire.night()
    stand.quirks.closed_until = "2026-12-31"
    wire.remark(key, "отгрузить утром")
    wire.night()
    assert [one["Комментарий"] for one in wire.orders()] == ["срочно"]
    assert wire.world.owed() == [("update", "waiting", "period_closed")]
    wire.later()
    wire.night()
    assert wire.world.owed() == [("update", "waiting", "period_closed")]
    stand.quirks.closed_until = ""
    wire.later()
    wire.night()
    assert [one["Комментарий"] for one in wire.orders()] == ["отгрузить утром"]
    assert wire.world.owed() == []
    wire.quiet()


def test_12_html_instead_of_json_is_no_empty_answer(wire: Wire, stand: OneCStand) -> None:
    """A login page in place of clients, then in place of the answer to a write: nothing is lost, nothing is doubled."""
    wire.crm.change(wire.keys["crm"], comment="звонить после обеда")
    stand.quirks.update({"html_instead_of_json": True, "only": [CLIENTS], "acts": ["read"]})
    wire.night()
    assert states(wire)["ut.party"] == "failed"
    assert wire.world.card("crm", wire.keys["crm"])["record_state"] == "active"
    assert wire.client()["ДополнительнаяИнформация"] == ""
    stand.quirks.update({"html_instead_of_json": True, "only": [CLIENTS], "acts": ["change"], "times": 1})
    wire.later()
    wire.night()
    wire.later()
    wire.night()
    assert wire.client()["ДополнительнаяИнформация"] == "звонить после обеда"
    assert wire.world.owed() == []
    wire.quiet()


def test_13_a_hang_costs_one_system_and_no_word(wire: Wire, stand: OneCStand) -> None:
    """УТ does not answer any more: the CRM's night goes on, what is owed to УТ waits and is written the next night."""
    wire.crm.change(wire.keys["crm"], comment="звонить после обеда")
    stand.quirks.update({"slow": 4.0})
    wire.night()
    found = states(wire)
    assert {found[route] for route in ("ut.party", "ut.product", "ut.sales_order")} == {"failed"}
    assert not [route for route in found if route.startswith("crm.")]
    assert wire.world.card("crm", wire.keys["crm"])["comment"] == "звонить после обеда"
    assert [one[1] for one in wire.world.owed()] == ["pending"]
    stand.quirks.update({"slow": 0.0})
    wire.night()
    assert wire.client()["ДополнительнаяИнформация"] == "звонить после обеда"
    wire.quiet()


def test_13_a_hang_in_the_middle_of_a_write_is_looked_up(wire: Wire, stand: OneCStand) -> None:
    """The PATCH is done when nobody waits for its answer any more: the next look finds it, nothing is sent again."""
    wire.crm.change(wire.keys["crm"], comment="звонить после обеда")
    stand.quirks.update({"slow": 4.0, "only": [CLIENTS], "acts": ["change"], "times": 1})
    wire.night()
    assert [one[1:] for one in wire.world.owed()] == [("unknown", "write_unknown")]
    done = time.monotonic() + 60
    while not wire.client()["ДополнительнаяИнформация"] and time.monotonic() < done:
        time.sleep(0.05)
    wire.later()
    wire.night()
    assert wire.client()["ДополнительнаяИнформация"] == "звонить после обеда"
    assert stand.requests.methods["PATCH"] == 1
    assert wire.world.owed() == []
    wire.quiet()


def test_14_a_version_clash_writes_over_nobody(wire: Wire, stand: OneCStand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look and our PATCH somebody renames the client in УТ: 412; both the name and our remark stand."""
    stand.quirks.if_match_checked = True
    handle, edits = stand.engine.handle, [{"Description": "Стимул-М (Москва)"}]

    def first_the_user(request: Any) -> Any:
        if request.method == "PATCH" and edits:
            stand.world.edit(CLIENTS, wire.keys["ut"], edits.pop())
        return handle(request)

    monkeypatch.setattr(stand.engine, "handle", first_the_user)
    wire.crm.change(wire.keys["crm"], comment="звонить после обеда")
    wire.night()
    assert edits == []
    shown = wire.client()
    assert (shown["Description"], shown["ДополнительнаяИнформация"]) == ("Стимул-М (Москва)", "звонить после обеда")
    assert wire.world.owed() == []
    wire.night()
    wire.quiet()


@pytest.mark.parametrize("fault", ["drop_before_commit", "drop_after_commit"])
def test_15_an_answer_that_is_lost_makes_no_second_order(wire: Wire, stand: OneCStand, fault: str) -> None:
    """The connection drops while the order is made: whether 1C had made it is looked up, there is one in the end."""
    stand.quirks.update({fault: True, "only": [ORDERS], "acts": ["create"], "times": 1})
    wire.order()
    wire.night()
    wire.later()
    wire.night()
    assert len(wire.orders()) == 1
    assert wire.world.owed() == []
    wire.quiet()


class Killed(BaseException):
    """The process is gone."""


def test_15_killed_between_the_write_and_its_acknowledgement(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """1C has made the order, the process dies before it could note that: the next night finds it and makes none."""
    write = OneC.write

    def dies(connector: OneC, stream: str, changes: Any) -> Any:
        for result in write(connector, stream, changes):
            if stream == ORDERS:
                raise Killed
            yield result

    wire.order()
    with monkeypatch.context() as patched:
        patched.setattr(OneC, "write", dies)
        with pytest.raises(Killed):
            wire.night()
    assert len(wire.orders()) == 1
    assert [(row["op"], row["state"]) for row in wire.world.rows(core.outbox)] == [("create", "sending")]
    wire.later()
    wire.night()
    assert len(wire.orders()) == 1
    assert wire.world.owed() == []
    wire.quiet()


def test_28_a_field_that_vanished_stops_its_mapping_alone(wire: Wire, stand: OneCStand) -> None:
    """УТ was upgraded and publishes the full name no more: clients wait and say why, orders go on both ways."""
    key = wire.order()
    wire.night()
    stand.quirks.update({"unpublished": [f"{CLIENTS}.НаименованиеПолное"]})
    wire.crm.change(wire.keys["crm"], comment="звонить после обеда")
    wire.remark(key, "отгрузить утром")
    wire.anew()
    wire.night()
    paused = {one.route: one.paused for one in wire.world.last.routes if one.paused}  # type: ignore[union-attr]
    assert paused == {"ut.party": ["counterparty"]}
    assert [one["Комментарий"] for one in wire.orders()] == ["отгрузить утром"]
    assert wire.client()["ДополнительнаяИнформация"] == ""
    assert wire.world.owed() == [("update", "waiting", "mapping_paused")]
    stand.quirks.update({"unpublished": []})
    wire.anew()
    wire.night()
    assert wire.client()["ДополнительнаяИнформация"] == "звонить после обеда"
    wire.quiet()


def test_a_remark_made_in_trade_reaches_sales_that_posts_nothing(wire: Wire, stand: OneCStand) -> None:
    """The CRM's order is edited in УТ: the remark comes to the CRM, where there is no such thing as posting."""
    key = wire.order()
    wire.night()
    stand.world.edit(ORDERS, wire.orders()[0]["Ref_Key"], {"Комментарий": "склад закрыт"})
    wire.night()
    assert wire.crm.sql("SELECT comment FROM orders WHERE id = ?", key) == [("склад закрыт",)]
    assert wire.world.owed() == []
    wire.quiet()


def status(wire: Wire, key: str) -> str:
    """Status of an order in the CRM."""
    ((found,),) = wire.crm.sql("SELECT status FROM orders WHERE id = ?", key)
    return str(found)


def test_a_status_that_1c_has_no_word_for_stays(wire: Wire) -> None:
    """Sales confirms an order: УТ knows no such status and begins at its own. That is no word of УТ's: the order stays
    confirmed in the CRM and to readers, until somebody moves it on in УТ.
    """
    key = wire.order()
    wire.edit(key, status="confirmed")
    wire.night()
    (order,) = wire.orders()
    assert order["Статус"] == "НеСогласован"
    assert wire.world.golden("crm", key, "sales_order", "orders")["business_status"] == "confirmed"
    assert status(wire, key) == "confirmed"
    wire.quiet()
    wire.stand.world.edit(ORDERS, order["Ref_Key"], {"Статус": "КОбеспечению"})
    wire.night()
    assert wire.world.golden("crm", key, "sales_order", "orders")["business_status"] == "in_work"
    wire.night()
    assert status(wire, key) == "in_work"
    wire.quiet()

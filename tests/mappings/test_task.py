"""Tasks of the three configurations: how far one has come, what it is about, and what of it may be told to 1C."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mappings.backward import Backward, Payload, Unsaid
from mappings.compiled import CompiledProfile, RefTarget, compile_profile
from tests.mappings.build import ONEC, guid
from tests.mappings.run import one, root

USERS, CLIENTS = "Catalog_Пользователи", "Catalog_Контрагенты"
ORDERS = {"onec_ut11": "Document_ЗаказКлиента", "onec_unf": "Document_ЗаказПокупателя"}
NO_DATE = "0001-01-01T00:00:00"
RAW: dict[str, Any] = {
    "Ref_Key": guid(1),
    "Description": "Позвонить",
    "Описание": "Напомнить об оплате",
    "Date": "2026-02-03T10:00:00",
    "Важность": "Обычная",
    "Executed": False,
    "ПринятаКИсполнению": False,
    "СостояниеБизнесПроцесса": "Активен",
    "Исполнитель": guid(2),
    "Исполнитель_Type": f"StandardODATA.{USERS}",
    "Автор": "",
    "Автор_Type": "StandardODATA.Undefined",
    "ДатаНачала": NO_DATE,
    "СрокИсполнения": "2026-02-05T18:00:00",
    "ДатаИсполнения": NO_DATE,
    "РезультатВыполнения": "",
    "Предмет": guid(3),
    "Предмет_Type": f"StandardODATA.{CLIENTS}",
}


@pytest.fixture(scope="module", params=ONEC)
def profile(request: pytest.FixtureRequest) -> CompiledProfile:
    """Each profile of 1C."""
    return compile_profile(request.param, "Europe/Moscow")


def shown(profile: CompiledProfile, **fields: Any) -> dict[str, Any]:
    """The canonical task of ``RAW`` with these fields."""
    mapping = profile.mappings["task"]
    return root(mapping, one(mapping, json.dumps(RAW | fields).encode()))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "not_started"),
        ({"ПринятаКИсполнению": True}, "in_progress"),
        ({"ПринятаКИсполнению": True, "СостояниеБизнесПроцесса": "Остановлен"}, "waiting"),
        ({"СостояниеБизнесПроцесса": "Прерван"}, "cancelled"),
        ({"СостояниеБизнесПроцесса": "Прерван", "Executed": True}, "done"),
    ],
)
def test_how_far_a_task_has_come(profile: CompiledProfile, fields: dict[str, Any], status: str) -> None:
    """Done before all, then what became of its business process, then whether somebody has taken it."""
    assert shown(profile, **fields)["status"] == status


def test_a_date_of_execution_counts_only_when_it_is_executed(profile: CompiledProfile) -> None:
    """БСП fills the date in beforehand where a task is planned; in the store it is when it was done, in UTC."""
    when = "2026-02-04T12:00:00"
    assert shown(profile, ДатаИсполнения=when)["done_at"] is None
    assert shown(profile, ДатаИсполнения=when, Executed=True)["done_at"] == "2026-02-04 09:00:00"
    assert shown(profile)["due_at"] == "2026-02-05 15:00:00"


def test_a_role_is_no_performer(profile: CompiledProfile) -> None:
    """A task for a group of people has nobody's name on it, and is not refused for it."""
    task = shown(profile, Исполнитель=guid(9), Исполнитель_Type="StandardODATA.Catalog_РолиИсполнителей")
    assert task["assignee_link_id"] is None


def test_what_may_be_told_and_what_is_an_act(profile: CompiledProfile) -> None:
    """Words, dates, performer, importance, subject and result go back; that it is done does not, in no field."""
    writable = profile.mappings["task"].writable
    assert {"title", "body", "due_at", "assignee", "priority", "party", "result"} <= writable
    assert writable.isdisjoint({"status", "done_at"})
    way = Backward(profile.mappings["task"])
    with pytest.raises(KeyError):
        way.payload({"status": "done"}, current=RAW)


def test_an_edit_goes_back_as_1c_writes_it(profile: CompiledProfile) -> None:
    """Both halves of a performer, the local time of a date; what 1C has no word for is unsaid."""
    way = Backward(profile.mappings["task"])
    told = {
        "title": "Позвонить",
        "due_at": "2026-02-06 06:00:00",
        "assignee": RefTarget(USERS, guid(4)),
        "priority": "high",
    }
    assert way.payload(told, current=RAW).fields == {
        "СрокИсполнения": "2026-02-06T09:00:00",
        "Исполнитель": guid(4),
        "Исполнитель_Type": f"StandardODATA.{USERS}",
        "Важность": "Высокая",
    }
    assert way.payload({"priority": "urgent"}, current=RAW) == Payload({}, [Unsaid("priority", "urgent")])
    assert way.payload({"body": None}, current=RAW).fields == {"Описание": ""}


@pytest.mark.parametrize("name", ORDERS)
def test_one_subject_takes_the_place_of_another(name: str) -> None:
    """Client, order and invoice stand in one attribute: the one that is said counts, whichever is named first."""
    way = Backward(compile_profile(name, "Europe/Moscow").mappings["task"])
    order, client = RefTarget(ORDERS[name], guid(5)), RefTarget(CLIENTS, guid(3))
    of_order = {"Предмет": guid(5), "Предмет_Type": f"StandardODATA.{ORDERS[name]}"}
    of_client = {"Предмет": guid(3), "Предмет_Type": f"StandardODATA.{CLIENTS}"}
    for told in ({"party": None, "order": order, "invoice": None}, {"order": order, "party": None}):
        assert way.payload(told, current=RAW) == Payload(of_order)
        back = dict(reversed([(field, client if field == "party" else None) for field in told]))
        assert way.payload(back, current=RAW | of_order) == Payload(of_client)
    both = way.payload({"party": client, "order": order}, current=RAW)
    assert both == Payload({}, [Unsaid("order", order)])

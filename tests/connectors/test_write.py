"""Writing to 1C on the stand: what became of each change, what differs, and what travelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, WriteResult
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem
from stand.onec.generate.build import build
from stand.onec.model import EMPTY_REF
from stand.onec.server import OneCStand
from tests.connectors.conftest import SECRET
from tests.connectors.front import CLIENTS, ORDERS, UNITS, Front, one, order, shown
from tests.connectors.server import Reply, fault

NEW = "0b7e1c9a-5a6d-4a1e-9d8c-000000000001"
GONE = "0b7e1c9a-5a6d-4a1e-9d8c-0000000000ff"
MARKED = "Помеченный на удаление документ не может быть проведен!"

Open = Callable[..., OneC]


def client(front: Front) -> tuple[str, str]:
    """Key and version of some client."""
    record = front.world.records(CLIENTS)[0]
    return record["Ref_Key"], record.get("DataVersion", "")


def test_a_new_record_has_the_key_reserved_for_it(front: Front, opened: Open) -> None:
    """One POST, read back; the base holds exactly what was sent, and the result its key, version and record."""
    connector = opened()
    result = one(connector, CLIENTS, Change(NEW, {"Description": "Ромашка", "ИНН": "7701234567"}, create=True))
    assert (result.external_id, result.became, result.differences, result.error) == (NEW, "written", (), None)
    assert front.writes == ["POST"]
    stored = front.record(CLIENTS, NEW)
    assert (stored["Description"], stored["ИНН"]) == ("Ромашка", "7701234567")
    assert (result.version, shown(result)["ИНН"]) == (stored["DataVersion"], "7701234567")
    assert (connector.traffic.writes, connector.capabilities.write, connector.capabilities.read_back) == (1, True, True)


def test_a_base_that_gives_its_own_key_is_believed(front: Front, opened: Open) -> None:
    """The key of the answer's body counts, whatever was reserved and whatever ``Location`` says."""
    front.own_keys = False
    result = one(opened(), CLIENTS, Change(NEW, {"Description": "Ромашка"}, create=True))
    assert result.became == "written"
    assert result.external_id != NEW
    assert front.record(CLIENTS, result.external_id)["Description"] == "Ромашка"


def test_a_location_in_raw_cyrillic_harms_nobody(front: Front, opened: Open) -> None:
    """The letter ``х`` ends in a byte that some stacks take for the end of a line."""
    name = "Catalog_ХарактеристикиНоменклатуры"
    result = one(opened(), name, Change(NEW, {"Description": "ххх"}, create=True))
    assert (result.external_id, result.became) == (NEW, "written")


def test_a_repeated_create_does_no_harm(front: Front, opened: Open) -> None:
    """The same change again: 1C says that the key is taken, the record stands there, and there is one of it."""
    change = Change(NEW, {"Description": "Ромашка"}, create=True)
    count = len(front.world.records(CLIENTS))
    assert [one(opened(), CLIENTS, change).became for _ in range(3)] == ["written", "unchanged", "unchanged"]
    assert len(front.world.records(CLIENTS)) == count + 1
    front.world.edit(CLIENTS, NEW, {"Description": "Лютик"})
    result = one(opened(), CLIENTS, change)
    assert (result.became, shown(result)["Description"]) == ("moved", "Лютик")


def test_a_change_is_sent_when_the_version_is_the_one_decided_on(front: Front, opened: Open) -> None:
    """GET, PATCH with only what is to change, GET; the version that comes back is the new one."""
    key, version = client(front)
    result = one(opened(), CLIENTS, Change(key, {"Description": "Иначе"}, version=version))
    assert (result.became, result.filled, result.differences) == ("written", (), ())
    assert result.version == front.record(CLIENTS, key)["DataVersion"] != version
    assert front.bodies("PATCH") == [{"Description": "Иначе"}]
    assert [request.method for request in front.requests] == ["GET", "PATCH", "GET"]
    assert front.requests[1].headers["if-match"] == version


def test_another_version_is_left_alone(front: Front, opened: Open) -> None:
    """Someone has edited since: nothing is sent, the record comes back for a new decision."""
    key, version = client(front)
    front.world.edit(CLIENTS, key, {"ИНН": "500100732259"})
    result = one(opened(), CLIENTS, Change(key, {"Description": "Иначе"}, version=version))
    assert (result.became, shown(result)["ИНН"], front.writes) == ("moved", "500100732259", [])
    assert result.version == front.record(CLIENTS, key)["DataVersion"]


def test_without_a_version_it_is_written_whatever_is_there(front: Front, opened: Open) -> None:
    """``None`` asks for no comparison, and no ``If-Match`` is sent."""
    key, _ = client(front)
    front.world.touch(CLIENTS, key)
    assert one(opened(), CLIENTS, Change(key, {"Description": "Иначе"})).became == "written"
    assert "if-match" not in front.requests[1].headers


@pytest.mark.parametrize("version", [True, False])
def test_what_stands_there_is_not_written_again(front: Front, opened: Open, version: bool) -> None:
    """All values stand there: nothing is sent, even when the record is another version by now."""
    key, old = client(front)
    front.world.edit(CLIENTS, key, {"Description": "Иначе", "ИНН": "7701234567"})
    change = Change(key, {"Description": "Иначе", "ИНН": "7701234567"}, version=old if version else None)
    result = one(opened(), CLIENTS, change)
    assert (result.became, front.writes) == ("unchanged", [])
    assert result.version == front.record(CLIENTS, key)["DataVersion"]


def test_a_base_that_heeds_the_version_closes_the_last_gap(front: Front, opened: Open) -> None:
    """An edit between our look and our PATCH: 412 becomes ``moved``, the edit stands."""
    front.quirks.if_match_checked = True
    key, version = client(front)
    front.on("PATCH", lambda: front.world.edit(CLIENTS, key, {"Description": "Чужое"}))
    result = one(opened(), CLIENTS, Change(key, {"Description": "Наше"}, version=version))
    assert (result.became, shown(result)["Description"]) == ("moved", "Чужое")
    assert front.record(CLIENTS, key)["Description"] == "Чужое"


def test_a_base_that_wants_another_form_of_the_header_is_written_without_it(front: Front, opened: Open) -> None:
    """412 although the version is the same: the header is left out, the change is written once."""
    key, version = client(front)
    front.on("PATCH", fault(412, "0", "Версия объекта отличается от указанной"))
    result = one(opened(), CLIENTS, Change(key, {"Description": "Наше"}, version=version))
    assert (result.became, front.writes) == ("written", ["PATCH", "PATCH"])
    assert ["if-match" in request.headers for request in front.requests if request.method == "PATCH"] == [True, False]


@pytest.mark.parametrize("heeded", [True, False])
def test_of_two_who_write_one_record_one_has_moved(front: Front, opened: Open, heeded: bool) -> None:
    """Both decided on the same version. Side by side where 1C heeds ``If-Match``, one after the other where not."""
    front.quirks.if_match_checked = heeded
    key, version = client(front)
    found: list[WriteResult] = []
    work = [
        threading.Thread(
            target=lambda n=n: found.append(
                one(opened(), CLIENTS, Change(key, {"Description": f"Пишет {n}"}, version=version))
            )
        )
        for n in range(2)
    ]
    for thread in work:
        thread.start()
        if not heeded:
            thread.join(20)
    for thread in work:
        thread.join(20)
    assert sorted(result.became for result in found) == ["moved", "written"]
    assert all(shown(result)["Description"] == front.record(CLIENTS, key)["Description"] for result in found)


def test_how_1c_bent_what_it_was_sent_is_told(front: Front, opened: Open) -> None:
    """Cut, spaced, dropped and a value changed by someone in between; what was taken as sent is no difference."""
    unit = front.world.records(UNITS)[0]["Ref_Key"]
    before = front.record(UNITS, unit).get("DataVersion")
    front.on("PATCH", lambda: front.on("GET", lambda: front.world.edit(UNITS, unit, {"Вес": 99})))
    fields = {
        "Description": "Ш" * 120, "Code": "1", "Parent_Key": NEW.upper(), "НетТакого": "x", "Вес": 5,
        "Числитель": Decimal("2.50"),
    }  # fmt: skip
    result = one(opened(), UNITS, Change(unit, fields, version=before))
    assert result.became == "written"
    assert {item.field: item.how for item in result.differences} == {
        "Description": "cut", "Code": "spaced", "Parent_Key": "spaced", "НетТакого": "dropped", "Вес": "other",
    }  # fmt: skip
    [cut] = [item for item in result.differences if item.how == "cut"]
    assert (cut.sent, cut.shown) == ("Ш" * 120, "Ш" * 100)


def test_what_1c_filled_in_is_named(front: Front, opened: Open) -> None:
    """A new order gets its number and date; what was sent and the key are not named."""
    result = one(opened(), ORDERS, Change(NEW, {"Комментарий": "с сайта"}, create=True))
    assert result.became == "written"
    assert {"Number", "Date"} <= set(result.filled)
    assert not {"Комментарий", "Ref_Key", "DataVersion"} & set(result.filled)


def test_a_tabular_part_is_sent_whole_and_numbered_from_one(front: Front, opened: Open) -> None:
    """Rows are numbered as texts in their order; one that names its number keeps the columns it does not name."""
    record = order(front, posted=False)
    key, version = record["Ref_Key"], record["DataVersion"]
    first, second = record["Товары"][:2]
    second.update({"Содержание": "с доставкой", "КодСтроки": "7"})
    new = {"Номенклатура_Key": first["Номенклатура_Key"], "Количество": 1, "Цена": 10}
    rows = [{"LineNumber": "2", "Цена": Decimal("99.90")}, new]
    result = one(opened(), ORDERS, Change(key, {"Товары": rows}, version=version))
    assert (result.became, result.differences) == ("written", ())
    [sent] = front.bodies("PATCH")
    assert [row["LineNumber"] for row in sent["Товары"]] == ["1", "2"]
    assert sent["Товары"][0]["Цена"] == 99.9
    stored = front.record(ORDERS, key)["Товары"]
    assert (stored[0]["Содержание"], stored[0]["КодСтроки"]) == ("с доставкой", "7")
    assert stored[0]["Номенклатура_Key"] == second["Номенклатура_Key"]
    assert ("Содержание" in stored[1], len(stored)) == (False, 2)


def test_a_reference_to_something_unpublished_goes_back_as_it_came(front: Front, opened: Open) -> None:
    """The row that goes on keeps ``UnavailableEntities…``; the stand would refuse any other type of that kind."""
    name = "ДополнительныеРеквизиты"
    key, _ = client(front)
    kind = "UnavailableEntities.UnavailableEntity_0b7e1c9a-5a6d-4a1e-9d8c-000000000009"
    row = {"Значение": NEW, "Значение_Type": kind, "ТекстоваяСтрока": "А"}
    front.world.edit(CLIENTS, key, {name: [row]})
    front.on("PATCH", lambda: None)
    connector = opened()
    change = Change(key, {name: [{"LineNumber": "1", "ТекстоваяСтрока": "Б"}]})
    one(connector, CLIENTS, change)
    [sent] = front.bodies("PATCH")
    assert sent[name] == [
        {
            "LineNumber": "1",
            "Свойство_Key": EMPTY_REF,
            "Значение": NEW,
            "Значение_Type": kind,
            "ТекстоваяСтрока": "Б",
        }
    ]


def test_a_table_that_stands_is_not_sent(front: Front, opened: Open) -> None:
    """Sent for nothing, it would lose the columns that the hub does not know."""
    record = order(front, posted=False)
    rows = [{"Цена": row["Цена"]} for row in record["Товары"]]
    change = Change(record["Ref_Key"], {"Товары": rows, "Комментарий": "x"}, version=record["DataVersion"])
    assert one(opened(), ORDERS, change).became == "written"
    assert front.bodies("PATCH") == [{"Комментарий": "x"}]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Posted": True}, "field_not_writable"),
        ({"DataVersion": "AAAAAAAAAAE="}, "field_not_writable"),
        ({"Ref_Key": NEW}, "field_not_writable"),
        ({"Партнер@navigationLinkUrl": "x"}, "field_not_writable"),
        ({"Комментарий": {"a": 1}}, "value_malformed"),
        ({"СуммаДокумента": float("nan")}, "value_malformed"),
        ({"Товары": [{"Цена": [1]}]}, "value_malformed"),
        ({"Товары": ["x"]}, "row_malformed"),
        ({"Товары": [{"LineNumber": "0"}]}, "row_malformed"),
        ({"Товары": [{"LineNumber": "1"}, {"LineNumber": 1}]}, "row_malformed"),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_what_must_not_be_sent_is_refused_here(
    front: Front, opened: Open, fields: dict[str, Any], code: str, create: bool
) -> None:
    """A field that 1C keeps and a value or row without sense end the record, before any writing request."""
    record = order(front, posted=False)
    key = NEW if create else record["Ref_Key"]
    result = one(opened(), ORDERS, Change(key, fields, create=create))
    assert (result.became, front.writes) == ("refused", [])
    assert result.error is not None
    assert result.error.code == code


@pytest.mark.parametrize("key", ["", "1", "x') or (1 eq 1", EMPTY_REF])
def test_a_key_that_is_no_guid_goes_nowhere(front: Front, opened: Open, key: str) -> None:
    """Nothing of it reaches an address."""
    result = one(opened(), CLIENTS, Change(key, {"Description": "x"}, create=True))
    assert result.error is not None
    assert (result.became, result.error.code, front.requests) == ("refused", "key_malformed", [])


def test_a_record_that_is_gone_is_refused(front: Front, opened: Open) -> None:
    """1C has no such instance: told, and nothing made in its place."""
    result = one(opened(), CLIENTS, Change(GONE, {"Description": "x"}))
    assert result.error is not None
    assert (result.became, result.error.code, front.writes) == ("refused", "record_gone", [])


def test_load_mode_is_asked_for_when_it_is_wanted(front: Front, opened: Open) -> None:
    """The header travels with POST and PATCH, and with nothing else."""
    connector = opened()
    key, _ = client(front)
    for wanted in (True, False):
        one(connector, CLIENTS, Change(key, {"Description": f"{wanted}"}, load_mode=wanted))
    one(connector, CLIENTS, Change(NEW, {"Description": "x"}, create=True, load_mode=True))
    asked = [r.headers.get("1c_odata-dataloadmode") for r in front.requests if r.method != "GET"]
    assert asked == ["true", None, "true"]


def test_one_record_that_is_refused_stops_no_other(front: Front, opened: Open) -> None:
    """Results come one for one, in the order of the changes."""
    keys = [NEW[:-1] + str(n) for n in range(3)]
    front.on("POST", lambda: None, fault(500, "-1", "Не указана организация"), lambda: None)
    changes = [Change(key, {"Description": key}, create=True) for key in keys]
    results = list(opened().write(CLIENTS, changes))
    assert [result.became for result in results] == ["written", "refused", "written"]
    assert [result.external_id for result in results] == keys
    assert results[1].error is not None
    assert results[1].error.code == "required_field"


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (Reply(401, b"<html>401</html>", "text/html"), StopSystem, "auth_failed"),
        (fault(404, "8", "Сущность не найдена"), StopRoute, "unknown_set"),
        (fault(500, "-1", "Недостаточно памяти"), StopRoute, "source_memory"),
    ],
)
def test_a_fault_of_the_route_is_raised_after_the_results(
    front: Front, opened: Open, reply: Reply, kind: type[HubError], code: str
) -> None:
    """What was written before is delivered; of the changes after the fault nothing is sent."""
    front.on("POST", lambda: None, reply)
    keys = [NEW[:-1] + str(n) for n in range(3)]
    work = opened().write(CLIENTS, [Change(key, {"Description": key}, create=True) for key in keys])
    assert next(work).became == "written"
    with pytest.raises(kind) as error:
        next(work)
    assert (error.value.code, front.writes) == (code, ["POST", "POST"])


@pytest.mark.parametrize(
    ("status", "text"),
    [(406, "busy"), (429, "busy"), (503, "busy"), (500, "Не обнаружено свободной лицензии!")],
)
def test_a_request_that_was_not_taken_is_sent_again(front: Front, opened: Open, status: int, text: str) -> None:
    """Busy, restarting, no licence: the server says that it has not begun, so patience costs no duplicate."""
    busy = Reply(status, f"<html>{text}</html>".encode(), "text/html")
    front.on("POST", busy, busy)
    connector = opened()
    assert one(connector, CLIENTS, Change(NEW, {"Description": "x"}, create=True)).became == "written"
    assert (front.writes, connector.traffic.writes, connector.traffic.retries) == (["POST"] * 3, 3, 2)


def test_a_base_that_stays_busy_stops_the_route(front: Front, opened: Open) -> None:
    """Patience ends: nothing was written, and that is known."""
    front.on("POST", *[Reply(503)] * 9)
    with pytest.raises(RetryLater) as error:
        one(opened(), CLIENTS, Change(NEW, {"Description": "x"}, create=True))
    assert (error.value.code, front.world.get(CLIENTS, NEW)) == ("source_busy", None)


def test_a_base_that_is_not_there_is_no_unknown_outcome(opened: Open) -> None:
    """No connection, nothing sent: raised as a passing fault of the system."""
    with pytest.raises(RetryLater) as error:
        one(opened(url="http://127.0.0.1:1/base"), CLIENTS, Change(NEW, {"Description": "x"}, create=True))
    assert error.value.code == "source_unreachable"


def test_nothing_is_ever_deleted(front: Front, opened: Open) -> None:
    """Whatever is asked for, no DELETE and no PUT leaves the house."""
    connector = opened()
    record = order(front, posted=True)
    one(connector, ORDERS, Change(record["Ref_Key"], {"DeletionMark": True, "Товары": []}, posting="unpost"))
    one(connector, CLIENTS, Change(NEW, {"DeletionMark": True}, create=True))
    one(connector, CLIENTS, Change(GONE, {"DeletionMark": True}))
    assert {request.method for request in front.requests} == {"GET", "POST", "PATCH"}


def test_the_whole_round_through_a_stand_with_login_and_sessions() -> None:
    """Make, change, post, mark, over the stand's own server: its log shows each request once, and no DELETE."""
    with OneCStand(build(3, clients=6, products=5, orders=6), user="Обмен", password=SECRET) as stand:
        connector = OneC(OneCSettings("ut", stand.url, "Обмен", SECRET, patience=Patience(retries=1, first=0.0)))
        made = one(connector, ORDERS, Change(NEW, {"Комментарий": "а"}, create=True, posting="post"))
        changes = [
            Change(NEW, {"Комментарий": "б"}, version=made.version, posting="post"),
            Change(NEW, {"DeletionMark": True}, posting="unpost"),
        ]
        results = [made, *connector.write(ORDERS, changes)]
        connector.close()
        assert [result.became for result in results] == ["written"] * 3
        assert stand.requests.writes == connector.traffic.writes == 6
        assert dict(stand.requests.methods) == {"GET": 8, "POST": 4, "PATCH": 2}
        stored = stand.world.get(ORDERS, NEW)
        assert stored is not None
        assert (stored["DeletionMark"], stored["Posted"], stored["Комментарий"]) == (True, False, "б")

"""Writing to the base in memory: every outcome that a connector may report, ordered by the test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import Change, ReadRequest, WriteResult
from connectors.certify.reading import decoded
from connectors.memory import MemoryBase, MemoryConnector
from connectors.onec_odata.recorded import RecordedOneC
from hub.model.errors import RetryLater, StopRoute
from tests.connectors.recordings import FEEDS, METADATA, needed

ORDERS = "Document_Заказ"
MARK = ("Comment", "[7f3a]")
DOWN = RetryLater("source_unreachable", system="m", host="m")
CREATE = Change("o9", {"Comment": "x [7f3a]", "Sum": 5}, create=True, marker=MARK)


@pytest.fixture
def base() -> MemoryBase:
    """Two orders."""
    made = MemoryBase("m")
    fields = {"Ref_Key": "s", "DataVersion": "s", "Comment": "s", "Sum": "n", "Posted": "b", "Author": "s"}
    made.define(ORDERS, fields, tables={"Lines": {"Price": "n"}})
    for number in range(2):
        made.put(ORDERS, {"Ref_Key": f"o{number}", "Comment": "", "Sum": number, "Posted": False, "Lines": []})
    return made


def one(base: MemoryBase, change: Change) -> WriteResult:
    """Write one change through a connector of its own."""
    [result] = MemoryConnector(base).write(ORDERS, [change])
    return result


def version(base: MemoryBase, key: str) -> str:
    """The version that the base holds."""
    return str(base.records[ORDERS][key,]["DataVersion"])


def test_a_record_is_made_changed_posted_and_left_alone(base: MemoryBase) -> None:
    """The plain way of each outcome that nothing goes wrong in."""
    connector = MemoryConnector(base)
    changes = [
        replace(CREATE, posting="post"),
        CREATE,
        Change("o0", {"Sum": 7, "Lines": [{"Price": 1}]}, version=version(base, "o0")),
        Change("o0", {"Sum": 8}, version="old"),
        Change("o9", {"Sum": 5}, posting="unpost"),
    ]
    results = list(connector.write(ORDERS, changes))
    assert [result.became for result in results] == ["written", "unchanged", "written", "moved", "written"]
    assert [result.version for result in results[:3]] == ["00000004", "00000004", "00000005"]
    assert json.loads(results[2].record or b"")["Lines"] == [{"Price": 1}]
    assert base.records[ORDERS]["o9",]["Posted"] is False
    assert connector.traffic.writes == 5  # the second create is refused by its key


def test_what_the_base_makes_of_it_is_told(base: MemoryBase) -> None:
    """Texts cut to a length, unknown fields dropped, defaults filled in."""
    base.habits.cut[ORDERS, "Comment"] = 4
    base.habits.defaults[ORDERS] = {"Author": "админ"}
    result = one(base, Change("o9", {"Comment": "длинный", "Nothing": 1}, create=True))
    assert [(d.field, d.how) for d in result.differences] == [("Comment", "cut"), ("Nothing", "dropped")]
    assert (result.became, result.filled) == ("written", ("Author",))


def test_a_base_refuses_by_a_rule_of_its_own(base: MemoryBase) -> None:
    """Its reason is passed on, nothing changes, and the load mode goes round it; posting has the rule as well."""
    base.habits.rule = lambda stream, record: "период закрыт" if record.get("Posted") or record["Sum"] == 13 else ""
    refused = one(base, Change("o0", {"Sum": 13}))
    assert refused.error is not None
    assert (refused.became, refused.error.params["text"]) == ("refused", "период закрыт")
    assert base.records[ORDERS]["o0",]["Sum"] == 0
    assert one(base, Change("o0", {"Sum": 13}, load_mode=True)).became == "written"
    assert one(base, Change("o1", {"Sum": 2}, posting="post")).became == "not_posted"
    assert base.records[ORDERS]["o1",]["Sum"] == 2


def test_a_task_is_executed_once(base: MemoryBase) -> None:
    """After its fields; a lost answer is seen, and what is done is not done again."""
    base.define(ORDERS, {**base.infos[ORDERS].fields, "Executed": "b"})
    base.lose("after")
    connector = MemoryConnector(base)
    changes = [Change("o0", {"Sum": 7}), Change("o0", {}, posting="execute"), Change("o0", {}, posting="execute")]
    assert [result.became for result in connector.write(ORDERS, changes)] == ["written", "written", "unchanged"]
    assert (base.records[ORDERS]["o0",]["Executed"], connector.traffic.writes) == (True, 2)


@pytest.mark.parametrize("field", ["Posted", "Executed", "DataVersion", "Ref_Key"])
def test_fields_that_the_base_keeps_are_refused(base: MemoryBase, field: str) -> None:
    """They are not written through a change."""
    result = one(base, Change("o0", {field: "x"}))
    assert result.error is not None
    assert (result.became, result.error.code) == ("refused", "field_not_writable")


@pytest.mark.parametrize("own_keys", [True, False])
def test_answers_lost_before_and_after(base: MemoryBase, own_keys: bool) -> None:
    """After: found by key or marker. Before: unknown, and made when asked for again; one record in the end."""
    base.habits.own_keys = own_keys
    base.lose("before")
    assert one(base, CREATE).became == "unknown"
    base.lose("after")
    result = one(base, replace(CREATE, look_first=True))
    assert (result.became, result.external_id == "o9") == ("written", own_keys)
    assert len(base.records[ORDERS]) == 3
    assert one(base, replace(CREATE, look_first=True)).became == "unchanged"


def test_an_answer_lost_with_all_that_come_after(base: MemoryBase) -> None:
    """Looking fails too: unknown; the change of a record is settled when asked for again, although it has moved."""
    base.lose("after", DOWN, DOWN)
    change = Change("o0", {"Sum": 7}, version=version(base, "o0"))
    assert one(base, change).became == "unknown"
    assert one(base, replace(change, look_first=True)).became == "unchanged"
    base.lose("after")
    assert one(base, Change("o0", {"Sum": 7}, posting="post")).became == "written"


@pytest.mark.parametrize(("heeds", "became"), [(True, "moved"), (False, "written")])
def test_an_edit_between_look_and_write(base: MemoryBase, heeds: bool, became: str) -> None:
    """A base that heeds versions keeps the edit; one that does not loses it, as 1C does."""
    base.habits.heeds_version = heeds
    base.between(lambda: base.put(ORDERS, {**base.records[ORDERS]["o0",], "Sum": 99}))
    result = one(base, Change("o0", {"Sum": 7}, version=version(base, "o0")))
    assert (result.became, base.records[ORDERS]["o0",]["Sum"]) == (became, 99 if heeds else 7)


def test_a_record_deleted_between_is_refused(base: MemoryBase) -> None:
    """Gone when the request arrives: nothing is made in its place."""
    base.between(lambda: base.delete(ORDERS, "o0"))
    result = one(base, Change("o0", {"Sum": 7}))
    assert result.error is not None
    assert (result.became, result.error.code) == ("refused", "record_gone")
    assert one(base, Change("o0", {"Sum": 7})).became == "refused"


def test_a_fault_of_the_system_is_raised(base: MemoryBase) -> None:
    """Before anything is sent: not a result but an error; so is a stream that is not there."""
    base.fail(DOWN)
    with pytest.raises(RetryLater):
        one(base, Change("o0", {"Sum": 7}))
    with pytest.raises(StopRoute) as error:
        list(MemoryConnector(base).write("Document_Нет", [CREATE]))
    assert error.value.code == "unknown_set"


def test_single_records_are_fetched_by_key(base: MemoryBase) -> None:
    """Each id once: as a record with the fields asked for, or as one that does not exist."""
    connector = MemoryConnector(base)
    page = connector.fetch(ReadRequest(ORDERS, ("Sum",)), ["o1", "gone", "o1"])
    assert decoded([page]) == [{"Ref_Key": "o1", "Sum": 1}]
    assert (list(page.deleted), page.last, page.stream) == (["gone"], True, ORDERS)
    with pytest.raises(StopRoute) as error:
        connector.fetch(ReadRequest(ORDERS, ("Нет",)), ["o1"])
    assert error.value.code == "unknown_field"


def test_only_what_has_changed_since_is_read(base: MemoryBase) -> None:
    """``changed_field`` with ``since`` narrows a read; without a bound everything comes."""
    connector = MemoryConnector(base)
    base.put(ORDERS, {"Ref_Key": "o2", "Comment": "2026-02-01T00:00:00"})
    request = ReadRequest(ORDERS, ("Comment",), changed_field="Comment", since="2026-01-01T00:00:00")
    assert [r["Ref_Key"] for r in decoded(connector.read(request))] == ["o2"]
    assert connector.count(request) == 1
    assert connector.count(replace(request, since="")) == 3


@needed
def test_a_recording_is_only_read() -> None:
    """It cannot be written to, and gives single records of what its packets brought."""
    connector = RecordedOneC(METADATA, FEEDS)
    name = "Catalog_Контрагенты"
    assert not connector.capabilities.write
    with pytest.raises(StopRoute) as error:
        list(connector.write(name, [CREATE]))
    assert error.value.code == "read_only"
    key = next(iter(connector.base.records[name]))[0]
    page = connector.fetch(ReadRequest(name, ("ИНН",)), [key, "нет"])
    assert ([r["Ref_Key"] for r in decoded([page])], list(page.deleted)) == ([key], ["нет"])


def test_the_records_of_a_file_can_be_written(tmp_path: Path) -> None:
    """A base from a JSON file takes writes in memory."""
    file = tmp_path / "base.json"
    part = {"fields": {"Ref_Key": "s", "Sum": "n"}, "records": [{"Ref_Key": "1", "Sum": 1}]}
    file.write_text(json.dumps({ORDERS: part}), encoding="utf-8")
    result = one(MemoryBase.load(file), Change("1", {"Sum": 2}))
    assert (result.became, result.version) == ("written", None)

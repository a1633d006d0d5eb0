"""A base that moves: edits while it is paged, going back in time, fields that an update takes away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stand.onec.generate.build import NODE
from stand.onec.model import EMPTY_REF
from stand.onec.server import OneCStand
from stand.onec.world import next_version
from tests.stand.client import NS, Client

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
PAGE = f"{PARTIES}?$select=Ref_Key,Description&$orderby=Ref_Key"
KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def _post(own: Client, action: str, **asked: Any) -> Any:
    answer = own.send("POST", f"/_stand/{action}", json.dumps(asked).encode())
    assert answer.status == 200, answer.body.decode()
    return answer.json


def _pages(own: Client, size: int) -> list[str]:
    found: list[str] = []
    while page := own.rows(f"{PAGE}&$top={size}&$skip={len(found)}"):
        found += [row["Ref_Key"] for row in page]
    return found


def test_a_record_put_in_front_while_paging(stand: OneCStand, own: Client) -> None:
    """Added at the head before the second page, everything shifts: one record comes twice, the new one never."""
    stand.script.when(PARTIES, 2, lambda world: world.add(PARTIES, {"Ref_Key": KEY, "Description": "000"}))
    keys = _pages(own, 8)
    assert len(keys) == len(set(keys)) + 1
    assert KEY not in keys
    assert own.rows(f"{PAGE}&$top=1")[0]["Ref_Key"] == KEY


def test_a_record_deleted_while_paging(stand: OneCStand, own: Client) -> None:
    """Deleted from the page already read, one of the next is never seen."""
    first = own.rows(f"{PAGE}&$top=1")[0]["Ref_Key"]
    everything = {row["Ref_Key"] for row in own.rows(PAGE)}
    _post(own, "script", set=PARTIES, page=2, edits=[{"do": "delete", "set": PARTIES, "key": first}])
    keys = set(_pages(own, 8))
    assert len(everything - keys) == 1
    assert stand.world.get(PARTIES, first) is None


def test_a_script_counts_pages_of_its_set_only(stand: OneCStand, own: Client) -> None:
    """Other sets, counts and single records are no pages; a step is played once; the state tells."""
    key = stand.world.records(PARTIES)[0]["Ref_Key"]
    edits = [{"do": "edit", "set": PARTIES, "key": key, "fields": {"Description": "Иначе"}}]
    edits.append({"do": "touch", "set": PARTIES, "key": key})
    assert _post(own, "script", set=PARTIES, page=2, edits=edits) == {"waiting": 1}
    version = stand.world.records(PARTIES)[0]["DataVersion"]
    own.rows(f"{ORDERS}?$top=1")
    own.get(f"{PARTIES}/$count")
    own.get(f"{PARTIES}(guid'{key}')?$format=json")
    own.rows(f"{PAGE}&$top=1")
    record = stand.world.records(PARTIES)[0]
    assert record["DataVersion"] == version
    own.rows(f"{PAGE}&$top=1")
    written = next_version(next_version(version))
    assert (record["Description"], record["DataVersion"]) == ("Иначе", written)
    own.rows(f"{PAGE}&$top=1")
    assert record["DataVersion"] == written
    assert own.send("GET", "/_stand/state").json["script"] == {"waiting": 0, "played": 1, "errors": []}


def test_an_edit_that_fails_hurts_no_reader(stand: OneCStand, own: Client) -> None:
    """A record that is gone when its turn comes: the page is answered, the state names what went wrong."""
    key = stand.world.records(PARTIES)[0]["Ref_Key"]
    _post(own, "script", set=PARTIES, edits=[{"do": "touch", "set": PARTIES, "key": key}])
    stand.world.delete(PARTIES, key)
    assert own.rows(f"{PAGE}&$top=1")
    (error,) = own.send("GET", "/_stand/state").json["script"]["errors"]
    assert "KeyError" in error


def test_scripts_with_mistakes_are_refused(stand: OneCStand, own: Client) -> None:
    """An unknown set, an unknown edit, a page before the first: 400, and nothing waits."""
    for asked in (
        {"set": "Catalog_Нет", "edits": []},
        {"set": PARTIES, "edits": [{"do": "rename", "set": PARTIES, "key": KEY}]},
        {"set": PARTIES, "page": 0, "edits": []},
        {"set": PARTIES},
    ):
        assert own.send("POST", "/_stand/script", json.dumps(asked).encode()).status == 400
    assert stand.script.steps == []


def test_a_base_put_back(stand: OneCStand, own: Client) -> None:
    """Versions fall, deleted records are there again, new ones gone, movements and numbers of the feed as they were."""
    edited, deleted = (str(record["Ref_Key"]) for record in stand.world.records(PARTIES)[:2])
    shipment = next(s for s in stand.world.records("Document_РеализацияТоваровУслуг") if s["Posted"])
    path = f"Document_РеализацияТоваровУслуг(guid'{shipment['Ref_Key']}')"
    before, stock = own.rows(PARTIES), own.rows("AccumulationRegister_ТоварыНаСкладах")
    assert _post(own, "snapshot", name="ночь") == {"snapshots": ["ночь"]}
    _post(own, "edit", set=PARTIES, key=edited, fields={"Description": "Позже"})
    _post(own, "delete", set=PARTIES, key=deleted)
    _post(own, "add", set=PARTIES, fields={"Ref_Key": KEY, "Description": "Новый"})
    own.write("POST", f"{path}/Unpost")
    point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{NODE}')'"
    feed = f"SelectChanges?DataExchangePoint={point}&MessageNo=5"
    assert len(own.write("POST", feed).entries) > 2
    assert own.rows(PARTIES) != before
    assert own.rows("AccumulationRegister_ТоварыНаСкладах") != stock
    _post(own, "restore", name="ночь")
    assert own.rows(PARTIES) == before
    assert own.rows("AccumulationRegister_ТоварыНаСкладах") == stock
    assert own.get(f"ExchangePlan_ДляODATA(guid'{NODE}')?$format=json").json["SentNo"] == "0"
    assert own.write("POST", feed).entries == []


def test_a_copy_goes_its_own_way(stand: OneCStand, own: Client) -> None:
    """Behind the same address now the base, now its copy: what is written into one is not in the other."""
    key = str(stand.world.records(PARTIES)[0]["Ref_Key"])

    def name() -> Any:
        return own.get(f"{PARTIES}(guid'{key}')?$format=json").json["Description"]

    original = name()
    stand.snapshots.take("копия")
    own.write("PATCH", f"{PARTIES}(guid'{key}')", {"Description": "В базе"})
    stand.snapshots.take("база")
    stand.snapshots.restore("копия")
    assert name() == original
    own.write("PATCH", f"{PARTIES}(guid'{key}')", {"Description": "В копии"})
    stand.snapshots.take("копия")
    stand.snapshots.restore("база")
    assert name() == "В базе"
    stand.snapshots.restore("копия")
    assert name() == "В копии"
    assert own.send("POST", "/_stand/restore", b'{"name": "none"}').status == 400


def test_a_field_that_an_update_took_away(stand: OneCStand, own: Client) -> None:
    """Gone from $metadata, answers; code 6 in $select, $filter and $orderby, ignored when written, and back again."""
    key = str(stand.world.records(PARTIES)[0]["Ref_Key"])
    before = own.rows(f"{PARTIES}?$select=Ref_Key,КПП")
    _post(own, "quirks", unpublished=[f"{PARTIES}.КПП", f"{ORDERS}_Товары.Цена", f"{ORDERS}.Автор"])
    types = {t.get("Name"): t for t in own.get("$metadata").xml.iter(f"{{{NS['e']}}}EntityType")}
    for name, field in ((PARTIES, "КПП"), (f"{ORDERS}_Товары", "Цена"), (ORDERS, "Автор"), (ORDERS, "Автор_Type")):
        assert field not in [p.get("Name") for p in types[name].findall("e:Property", NS)]
    assert "КПП" not in own.rows(f"{PARTIES}?$top=1")[0]
    assert "Цена" not in own.rows(f"{ORDERS}?$top=1")[0]["Товары"][0]
    for asked in ("$select=КПП", "$filter=КПП eq '1'", "$orderby=КПП"):
        assert own.fail(f"{PARTIES}?{asked}") == (400, "6", "Сегмент пути КПП не найден!")
    assert own.write("PATCH", f"{PARTIES}(guid'{key}')", {"КПП": "999999999"}).status == 200
    _post(own, "quirks", unpublished=[])
    assert own.rows(f"{PARTIES}?$select=Ref_Key,КПП") == before


def test_a_set_that_is_no_longer_published(stand: OneCStand, own: Client) -> None:
    """Code 8, no word in the service document or $metadata, its parts too; the feed passes it over and keeps it."""
    key = str(stand.world.records(PARTIES)[0]["Ref_Key"])
    _post(own, "quirks", unpublished=[PARTIES])
    assert own.fail(f"{PARTIES}?$top=1")[:2] == own.fail(f"{PARTIES}_КонтактнаяИнформация")[:2] == (404, "8")
    names = {entry["name"] for entry in own.get("?$format=json").json["value"]}
    assert not {name for name in names if name.startswith(PARTIES)}
    assert f'Name="{PARTIES}"'.encode() not in own.get("$metadata").body
    stand.world.touch(PARTIES, key)
    point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{NODE}')'"
    feed = f"SelectChanges?DataExchangePoint={point}&MessageNo=1"
    assert own.write("POST", feed).entries == []
    _post(own, "quirks", unpublished=[])
    assert len(own.write("POST", feed).entries) == 1


def test_references_to_what_is_not_published(own: Client) -> None:
    """No link, path or expansion leads to what is not published; a composite reference does not tell its type."""
    _post(own, "quirks", unpublished=[PARTIES])
    order = own.rows(f"{ORDERS}?$top=1")[0]
    assert order["Контрагент_Key"] != EMPTY_REF
    assert "Контрагент@navigationLinkUrl" not in order
    assert "Партнер@navigationLinkUrl" in order
    links = [link.get("title") for link in own.get(f"{ORDERS}?$top=1").entries[0].findall("a:link", NS)]
    assert "Партнер" in links
    assert "Контрагент" not in links
    path = f"{ORDERS}(guid'{order['Ref_Key']}')/Контрагент"
    for asked in (path, f"{ORDERS}?$filter=Контрагент/ИНН eq '1'", f"{ORDERS}?$orderby=Контрагент/ИНН"):
        assert own.fail(asked)[:2] == (400, "6")
    assert own.fail(f"{ORDERS}?$expand=Контрагент")[:2] == (400, "6")
    assert "Контрагент" not in own.rows(f"{ORDERS}?$top=1&$expand=*")[0]
    name = "Catalog_КлючиАналитикиУчетаПоПартнерам"
    row = next(row for row in own.rows(name) if row["Контрагент"] not in ("", EMPTY_REF))
    assert row["Контрагент_Type"].startswith("UnavailableEntities.UnavailableEntity_")
    assert "Контрагент@navigationLinkUrl" not in row
    same = {"Контрагент": row["Контрагент"], "Контрагент_Type": row["Контрагент_Type"]}
    path = f"{name}(guid'{row['Ref_Key']}')"
    assert own.write("PATCH", path, same).status == 200
    assert own.write("PATCH", path, {**same, "Контрагент_Type": "UnavailableEntities.X"}).error[:2] == (400, "4")
    _post(own, "quirks", unpublished=[])
    assert own.get(f"{path}?$format=json").json["Контрагент_Type"] == f"StandardODATA.{PARTIES}"


def test_a_field_that_changed_its_type(stand: OneCStand, own: Client) -> None:
    """A number that became text is text in $metadata and in every answer; what it was converted to stays."""
    field = f"{ORDERS}.СуммаДокумента"
    was = own.rows(f"{ORDERS}?$select=СуммаДокумента&$top=1")[0]["СуммаДокумента"]
    _post(own, "quirks", retyped={field: "Edm.String"})
    order = next(t for t in own.get("$metadata").xml.iter(f"{{{NS['e']}}}EntityType") if t.get("Name") == ORDERS)
    types = {p.get("Name"): p.get("Type") for p in order.findall("e:Property", NS)}
    assert types["СуммаДокумента"] == "Edm.String"
    assert own.rows(f"{ORDERS}?$select=СуммаДокумента&$top=1") == [{"СуммаДокумента": str(was)}]
    _post(own, "quirks", retyped={field: "Edm.Double"})
    assert own.rows(f"{ORDERS}?$select=СуммаДокумента&$top=1")[0]["СуммаДокумента"] == str(was)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unpublished": ["Catalog_Нет"]},
        {"unpublished": [f"{PARTIES}.Нет"]},
        {"unpublished": [f"{PARTIES}.Ref_Key"]},
        {"retyped": {f"{PARTIES}.КПП": "Edm.Stream"}},
    ],
)
def test_an_update_that_cannot_be(stand: OneCStand, own: Client, wrong: dict[str, Any]) -> None:
    """An unknown set or field, a key, an unknown type: 400, and the base goes on as it was."""
    assert own.send("POST", "/_stand/quirks", json.dumps(wrong).encode()).status == 400
    assert (stand.quirks.unpublished, stand.quirks.retyped) == ((), {})
    assert own.rows(f"{PARTIES}?$top=1")


def test_records_are_hidden_over_control(stand: OneCStand, own: Client) -> None:
    """Row-level rights from another process: hidden, refused with code 20, left out by allowedOnly, shown again."""
    key = str(stand.world.records(PARTIES)[0]["Ref_Key"])
    total = len(stand.world.records(PARTIES))
    assert _post(own, "forbid", set=PARTIES, key=key) == {"forbidden": 1}
    assert own.fail(f"{PARTIES}?$top=1")[:2] == (401, "20")
    assert len(own.rows(f"{PARTIES}?allowedOnly=true")) == total - 1
    assert _post(own, "forbid", set=PARTIES, key=key, hidden=False) == {"forbidden": 0}
    assert len(own.rows(PARTIES)) == total
    assert own.send("POST", "/_stand/forbid", json.dumps({"set": PARTIES, "key": KEY}).encode()).status == 400


def test_everything_is_registered_over_control(stand: OneCStand, own: Client) -> None:
    """«Зарегистрировать все» for a node of the plan; a node that is none is refused."""
    registered = _post(own, "register", node=NODE)["registered"]
    point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{NODE}')'"
    found = own.write("POST", f"SelectChanges?DataExchangePoint={point}&MessageNo=1").entries
    assert len(found) == registered > len(stand.world.records(PARTIES)) + len(stand.world.records(ORDERS))
    assert own.send("POST", "/_stand/register", json.dumps({"node": KEY}).encode()).status == 400

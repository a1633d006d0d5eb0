"""Look-ups: which key a new row or record gets, on small catalogues and on the stands."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Change, ReadRequest, StreamInfo
from connectors.memory import MemoryBase, MemoryConnector
from connectors.registry import open_connector
from hub.exchange.finds import Shelf
from hub.model.settings import SystemSettings
from mappings.backward import Backward, Unsaid
from mappings.compiled import CompiledMapping, RefTarget, compile_profile
from mappings.finds import Found, asked
from mappings.spec import Find, Match
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.unshown import unshown
from tests.mappings.build import ZERO, compiled, folder, guid, profile_of
from tests.mappings.stands import SHAPES
from tests.mappings.test_stands import told

KINDS = "Catalog_ВидыКонтактнойИнформации"
TEXT = f"""
stream: Catalog_X
entity: party
key: Ref_Key
fields:
  kind: {{const: person}}
  display_name: Name
children:
  contact_point:
    - {{table: C, when: {{T: phone}}, make: phone, from: P}}
    - {{table: C, when: {{T: mail}}, make: email, from: P}}
initial:
  C.K_Key:
    find: {KINDS}
    same: T
    by:
      - PredefinedDataName: [PhoneOfX, MailOfX]
      - {{Parent_Key: [{{PredefinedDataName: GroupOfX}}, {{Named: GroupOfX}}], Description: [Office, Home]}}
  Org_Key: {{find: Catalog_Orgs, by: [{{Code: "643"}}, {{}}], single: true}}
"""


def kind(number: int, **fields: Any) -> dict[str, Any]:
    """A record of the catalogue of kinds."""
    return {"Ref_Key": guid(number), "PredefinedDataName": "", "Parent_Key": ZERO, "Named": "", **fields}


GROUP = kind(1, Named="GroupOfX", IsFolder=True)
HOME = kind(3, Parent_Key=guid(1), T="phone", Description="Home")
OFFICE = kind(9, Parent_Key=guid(1), T="phone", Description="Office")
FOREIGN = kind(2, Parent_Key=guid(8), T="phone", Description="Office")
NAMED = kind(4, PredefinedDataName="PhoneOfX", T="phone")


def phone(number: str) -> dict[str, Any]:
    """A telephone as the store holds it."""
    return {"system": "phone", "value_raw": number, "value_norm": number, "ext": None, "is_valid": True}


def kinds_of(found: Found, current: dict[str, Any] | None = None) -> list[Any]:
    """The kinds of the rows that stand there once a telephone has been added."""
    mapping = compiled(TEXT)
    rows = [phone(row["P"]) for row in (current or {}).get("C", ())]
    payload = Backward(mapping, found).payload({}, {"contact_point": [*rows, phone("+74951234567")]}, current)
    return [row["K_Key"] for row in payload.fields.get("C", ())] or payload.unsaid


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ([GROUP, HOME, OFFICE, FOREIGN, NAMED], [guid(4)]),
        ([GROUP, HOME, OFFICE, FOREIGN], [guid(9)]),
        ([GROUP, HOME, {**OFFICE, "DeletionMark": True}], [guid(3)]),
        ([GROUP, {**NAMED, "T": "mail"}], [Unsaid("contact_point", phone("+74951234567"))]),
        ([FOREIGN], [Unsaid("contact_point", phone("+74951234567"))]),
    ],
    ids=["by name", "by group and the first description", "not a marked one", "not of another type", "nobody's"],
)
def test_a_new_row_gets_its_kind(records: list[dict[str, Any]], wanted: list[Any]) -> None:
    """The first alternative that finds one counts, its values in their order; without a kind the row is not written."""
    assert kinds_of(Found({KINDS: records})) == wanted


def test_a_kind_that_stands_there_comes_first() -> None:
    """People chose the kind of the telephone that is there: the new one takes it. A mail's kind is no telephone's."""
    standing = {"LineNumber": "1", "T": "phone", "P": "+74957654321", "K_Key": guid(77)}
    found = Found({KINDS: [NAMED]})
    assert kinds_of(found, {"Ref_Key": guid(1), "C": [standing]}) == [guid(77), guid(77)]
    assert kinds_of(Found(), {"Ref_Key": guid(1), "C": [standing]}) == [guid(77), guid(77)]
    mail = {"LineNumber": "1", "T": "mail", "P": "a@b.ru", "K_Key": guid(78)}
    row = {"system": "email", "value_raw": "a@b.ru", "value_norm": "a@b.ru", "ext": None, "is_valid": True}
    wanted = {"contact_point": [row, phone("+74951234567")]}
    payload = Backward(compiled(TEXT), found).payload({}, wanted, {"Ref_Key": guid(1), "C": [mail]})
    assert [one["K_Key"] for one in payload.fields["C"]] == [guid(78), guid(4)]


def test_a_look_up_of_a_record_finds_one_or_leaves_it_to_the_system() -> None:
    """``single``: of two companies neither is chosen; a fixed-length code is found without its blanks."""
    mapping = compiled(TEXT)

    def org(*records: dict[str, Any]) -> Any:
        return Backward(mapping, Found({"Catalog_Orgs": records})).payload({"display_name": "x"}).fields.get("Org_Key")

    one, other = {"Ref_Key": guid(1), "Code": "1"}, {"Ref_Key": guid(2), "Code": "2"}
    assert org(one) == guid(1)
    assert org(one, other) is None
    assert org(one, {**other, "Code": "643  "}) == guid(2)


def info(name: str, *fields: str) -> StreamInfo:
    """A published set of texts."""
    return StreamInfo(name, dict.fromkeys(fields, "Edm.String") | {"Ref_Key": "Edm.Guid"})


def test_what_a_base_publishes_decides_how_is_looked(tmp_path: Path) -> None:
    """Alternatives with names that are not published fall away; a catalogue that is not there finds nothing and is
    told, and the mapping is not paused.
    """
    own = info("Catalog_X", "Name", "Org_Key")
    own.tables["C"] = {"T": "Edm.String", "P": "Edm.String", "K_Key": "Edm.Guid"}
    path = folder(tmp_path / "p", it=TEXT)
    kinds = info(KINDS, "T", "Parent_Key", "Description", "Named")
    profile = profile_of(path, None, {"Catalog_X": own, KINDS: kinds})
    assert profile.paused == {}
    mapping = profile.mappings["it"]
    assert mapping.unseen == ("Catalog_Orgs",)
    find = dict(mapping.spec.children[0].rows[0].initial)["K_Key"]
    assert isinstance(find, Find)
    group = Match("Parent_Key", of=((Match("Named", ("GroupOfX",)),),))
    assert find.by == ((group, Match("Description", ("Office", "Home"))),)
    assert asked([mapping.spec]) == {KINDS: ("Ref_Key", "T", "Parent_Key", "Named", "Description")}
    assert kinds_of(Found({KINDS: [GROUP, HOME]})) == [guid(3)]
    assert profile_of(path, None, {"Catalog_X": own}).mappings["it"].unseen == (KINDS, "Catalog_Orgs")


def test_a_catalogue_is_read_once(tmp_path: Path) -> None:
    """Two routes ask the same base: its catalogue is read by the first of them only."""
    base = MemoryBase("x")
    fields = dict.fromkeys(("PredefinedDataName", "Parent_Key", "Named", "Description", "T", "Ref_Key"), "Edm.String")
    base.define(KINDS, fields, ["Ref_Key"], {})
    base.put(KINDS, {**NAMED, "Description": ""})
    connector, mapping = MemoryConnector(base), compiled(TEXT)
    profile = compile_profile("onec_ut11", "Europe/Moscow")
    profile.mappings = {"it": mapping}
    shelf = Shelf(connector, profile, 10)
    shelf.records["Catalog_Orgs"] = []
    assert kinds_of(shelf.found([mapping])) == [guid(4)]
    read = connector.traffic.requests
    assert kinds_of(shelf.found([mapping])) == [guid(4)]
    assert connector.traffic.requests == read


MADE = {
    "ut": ("counterparty", "partner", "contact_person", "sales_order", "task"),
    "unf": ("counterparty", "contact_person", "sales_order", "task"),
    "bp": ("counterparty", "contact_person", "task"),
}
#: References that a new order has whoever made it, and told nothing of them.
NEEDED = {
    "ut": {"Валюта_Key": "Catalog_Валюты", "Склад_Key": "Catalog_Склады"},
    "unf": {
        "Организация_Key": "Catalog_Организации",
        "ВалютаДокумента_Key": "Catalog_Валюты",
        "СтруктурнаяЕдиницаРезерв_Key": "Catalog_СтруктурныеЕдиницы",
        "СостояниеЗаказа": "Catalog_СостоянияЗаказовПокупателей",
    },
}


@pytest.mark.parametrize("shape", sorted(MADE))
def test_what_is_made_on_a_stand_is_accepted_and_maps_to_the_same(shape: str) -> None:
    """Clients, contact persons, orders and tasks written as new ones through the connector: written, shown as told,
    each contact under a kind of its catalogue, and an order with what it needs.
    """
    with OneCStand(build(1, clients=12, products=20, orders=20, configuration=shape)) as stand:
        system = SystemSettings("base", "onec_odata", "Europe/Moscow", SHAPES[shape], url=stand.url)
        with closing(open_connector(system)) as connector:
            profile = compile_profile(SHAPES[shape], "Europe/Moscow", None, connector.streams())
            assert {name: mapping.unseen for name, mapping in profile.mappings.items() if mapping.unseen} == {}
            shelf = Shelf(connector, profile, 100)
            for number, name in enumerate(MADE[shape]):
                mapping = profile.mappings[name]
                way = Backward(mapping, shelf.found([mapping]))
                raws = [raw for page in connector.read(request(mapping)) for raw in page.records]
                records = [json.loads(bytes(raw)) for raw in raws]
                record = next((one for one in records if one.get("КонтактнаяИнформация")), records[0])
                root, children = told(way, record)
                if name == "sales_order":
                    root = {key: root[key] for key in ("party", "date", "comment")}
                payload = way.payload(root, children)
                (result,) = connector.write(mapping.stream, [Change(guid(700 + number), payload.fields, create=True)])
                assert (result.became, result.error) == ("written", None), (name, result.differences)
                assert result.record is not None
                made = json.loads(result.record)
                assert told(way, made)[0].items() >= {k: v for k, v in root.items() if v is not None}.items(), name
                for child in ("contact_point", "address"):
                    assert shown(told(way, made)[1].get(child, [])) == shown(children.get(child, [])), name
                if name == "sales_order":
                    for field, stream in NEEDED[shape].items():
                        assert stand.world.get(stream, made[field]) is not None, field
        assert unshown(stand.world) == []


def shown(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Rows of a set, whatever their order."""
    return {tuple(row.values()) for row in rows}


def request(mapping: CompiledMapping) -> ReadRequest:
    """Everything that a mapping reads."""
    return ReadRequest(mapping.stream, mapping.select, mapping.key, mapping.table)


@pytest.mark.parametrize(("included", "without"), [(True, 120), (False, 100)])
def test_sums_of_a_new_line_agree(included: bool, without: int) -> None:
    """A new line of an order of УТ goes to Товары; with VAT on top of the price Сумма is what is left without it."""
    way = Backward(compile_profile("onec_ut11", "Europe/Moscow").mappings["sales_order"])
    product = RefTarget("Catalog_Номенклатура", guid(3))
    line = {"line_no": 1, "product": product, "qty": 2_000_000, "price": 5000, "vat_amount": 2000, "amount": 12000}
    payload = way.payload({"vat_included": int(included)}, {"sales_order_line": [line]})
    (row,) = payload.fields["Товары"]
    assert (row["СуммаСНДС"], row["СуммаНДС"], row["Сумма"]) == (120, 20, without)
    assert (row["КоличествоУпаковок"], row["Количество"], row["ВариантОбеспечения"]) == (2, 2, "НеТребуется")
    after = {**payload.fields, "Ref_Key": guid(1)}
    changed = way.payload({}, {"sales_order_line": [{**line, "amount": 6001, "vat_amount": 1000}]}, after)
    (row,) = changed.fields["Товары"]
    assert row["Сумма"] == (60.01 if included else 50.01)

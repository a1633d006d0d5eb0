"""The three configurations: what they publish, how it looks on the wire, and that all tell the same business."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import Any

import pytest
from lxml import etree

from stand.onec.configurations import CONFIGURATIONS
from stand.onec.generate.build import NODE, build
from stand.onec.jsonout import dump
from stand.onec.model import BP_MODEL, EMPTY_REF, MODEL, NAMESPACE, UNF_MODEL, EntitySet, Kind, Shape
from stand.onec.projection import project
from stand.onec.query import Reader
from stand.onec.server import OneCStand
from stand.onec.world import World, rows_of
from tests.stand.client import NS, Client, term

EDM = f"{{{NS['e']}}}"
SIZES: dict[str, Any] = {"clients": 15, "products": 20, "orders": 30}
#: Of build(5, **SIZES), all sets but tasks and planned interactions: what УТ was before it had company.
UT_DIGEST = "d295b03b10628b0f6d441c6422a2c81d7b1789bd7e9286dd0bf1bbead4af1b28"
TASKS = "Task_ЗадачаИсполнителя"
#: Sets that stand empty on purpose: recorded in УТ, but nothing in the base writes them.
EMPTY = {
    "AccumulationRegister_ВыручкаИСебестоимостьПродаж",
    "InformationRegister_СуммыДокументовВВалютахУчета",
    "AccumulationRegister_ТоварыОрганизаций",
    "AccumulationRegister_СебестоимостьТоваров",
}

#: УТ's makers give every card the same rows of contact information; a warehouse's have one field less.
SPARE = {"Catalog_Склады_КонтактнаяИнформация": {"ВидДляСписка_Key"}}


def _digest(world: World, names: list[str]) -> str:
    reader, total = Reader(world), sha256()
    for name in names:
        item = world.model.sets[name]
        fields = project(item, ())
        for record in reader.source(item):
            total.update(dump(fields.plain(record)))
    return total.hexdigest()


def _properties(element: etree._Element) -> list[tuple[str | None, str | None]]:
    return [(p.get("Name"), p.get("Type")) for p in element.findall("e:Property", NS)]


def _declared(shape: Shape) -> list[tuple[str, str]]:
    return [(prop.name, prop.edm) for prop in shape.props]


def test_metadata_read_back_is_the_model(shape: OneCStand) -> None:
    """Every set, tabular row and virtual row of the model stands in $metadata with its properties in their order."""
    with Client(shape) as client:
        root = client.get("$metadata").xml
        listed = [item["name"] for item in client.get("?$format=json").json["value"]]
    types = {str(e.get("Name")): _properties(e) for e in root.iter(f"{EDM}EntityType", f"{EDM}ComplexType")}
    model = shape.world.model
    assert listed == [s.get("Name") for s in root.iter(f"{EDM}EntitySet")] == list(model.sets)
    for item in model.sets.values():
        assert types[item.name] == _declared(item.shape), item.name
        if item.kind == "table":
            assert types[f"{item.name}_RowType"] == _declared(item.shape)
        if item.kind == "recordset" and item.register is not None:
            for rows in item.register.virtual.values():
                assert types[rows.name] == _declared(rows)
    for prop in root.iter(f"{EDM}Property", f"{EDM}FunctionImport"):
        kind = str(prop.get("Type") or prop.get("ReturnType") or "")
        if kind.startswith(f"Collection({NAMESPACE}"):
            assert kind[len(f"Collection({NAMESPACE}") : -1] in types
    ends = {str(end.get("Type")).removeprefix(NAMESPACE) for end in root.iter(f"{EDM}End")}
    assert ends <= set(model.sets)


def test_functions_are_those_the_registers_have(bp: OneCStand, unf: OneCStand) -> None:
    """Turnover registers have no Balance; the accounting register takes what is published; tasks are executed."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for stand in (bp, unf):
        with Client(stand) as client:
            root = client.get("$metadata").xml
        for function in root.iter(f"{EDM}FunctionImport"):
            bound, *names = function.findall("e:Parameter", NS)
            key = str(bound.get("Type")).removeprefix(NAMESPACE)
            found.setdefault(key, set()).add((str(function.get("Name")), *(str(n.get("Name")) for n in names)))
    assert {name for name, *_ in found["AccumulationRegister_Продажи"]} == {"Turnovers"}
    accounting = {name: names for name, *names in found["AccountingRegister_Хозрасчетный"]}
    assert {"Balance", "Turnovers", "BalanceAndTurnovers", "RecordsWithExtDimensions"} <= set(accounting)
    assert "BalancedAccountCondition" in accounting["Turnovers"]
    assert accounting["RecordsWithExtDimensions"] == ["Condition", "EndPeriod", "Order", "StartPeriod", "Top"]
    assert ("ExecuteTask",) in found[TASKS]


def _fits(kind: Kind, value: Any) -> bool:
    if kind is Kind.BOOL:
        return isinstance(value, bool)
    if kind in (Kind.DOUBLE, Kind.INT16):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is Kind.ROWS:
        return isinstance(value, list)
    return isinstance(value, str) and (kind is not Kind.INT64 or value.lstrip("-").isdigit())


def _check(item: EntitySet, record: dict[str, Any]) -> None:
    assert [name for name in record if "@" not in name] == [prop.name for prop in item.shape.props], item.name
    for prop in item.shape.props:
        assert _fits(prop.kind, record[prop.name]), (item.name, prop.name, record[prop.name])
    for name, rows in item.tables.items():
        for row in record[name]:
            assert list(row) == [prop.name for prop in rows.props], (item.name, name)


def test_every_set_answers_in_its_shape(shape: OneCStand) -> None:
    """JSON of every set: all properties in the declared order, each of its Edm type; every set has records."""
    empty = set()
    with Client(shape) as client:
        for item in shape.world.model.sets.values():
            records = client.rows(f"{item.name}?$top=20")
            for record in records:
                _check(item, record)
            if not records and item.kind != "table":
                empty.add(item.name.removesuffix("_RecordType"))
    assert empty == (EMPTY if shape.world.configuration.name == "ut" else set())


def test_references_lead_to_records(shape: OneCStand) -> None:
    """Every filled reference and composite finds its record; nothing is stored that the set does not have."""
    world, reader = shape.world, Reader(shape.world)
    for item in world.model.sets.values():
        for record in reader.source(item) if item.kind not in ("recordset", "records") else ():
            assert record.keys() - item.shape.by_name.keys() <= SPARE.get(item.name, set()), item.name
            for prop in item.shape.props:
                key = record.get(prop.name, EMPTY_REF)
                if prop.kind is Kind.REF and key != EMPTY_REF:
                    assert world.get(prop.targets[0], key) is not None, (item.name, prop.name)
                kind = str(record.get(f"{prop.name}_Type", "")).removeprefix(NAMESPACE)
                if prop.kind is Kind.COMPOSITE and kind in world.model.sets:
                    assert kind in prop.targets, (item.name, prop.name, kind)
                    assert world.get(kind, key) is not None, (item.name, prop.name)


@pytest.mark.parametrize("name", ["ut", "unf", "bp"])
def test_a_seed_means_one_base_in_each_shape(name: str) -> None:
    """Equal arguments give equal bases byte for byte, another seed another one."""
    first, again, other = (build(seed, configuration=name, **SIZES) for seed in (5, 5, 6))
    sets = list(first.model.sets)
    assert _digest(first, sets) == _digest(again, sets) != _digest(other, sets)


def test_ut_is_what_it_was() -> None:
    """The default is УТ, and its data are the same bytes as before the others came."""
    world = build(5, **SIZES)
    assert world.configuration is CONFIGURATIONS["ut"]
    assert world.model is MODEL
    later = ("Task_", "Document_ЗапланированноеВзаимодействие")
    assert _digest(world, [name for name in MODEL.sets if not name.startswith(later)]) == UT_DIGEST


def test_an_unknown_configuration_is_refused() -> None:
    """There are three, and no fourth by accident."""
    with pytest.raises(KeyError):
        build(1, configuration="erp", **SIZES)


def _sums(world: World, names: tuple[str, ...], party: str = "Контрагент_Key") -> Counter[str]:
    found: Counter[str] = Counter()
    for name in names:
        for document in world.records(name):
            if document["Posted"]:
                found[document[party]] += round(document["СуммаДокумента"] * 100)
    return found


def _numbers(world: World) -> Counter[str]:
    return Counter(str(party["ИНН"]) for party in world.records("Catalog_Контрагенты") if party.get("ИНН"))


def test_all_tell_the_same_business() -> None:
    """The same clients by ИНН, the same shipped and paid amounts by client, the same orders where there are orders."""
    ut, unf, bp = (build(3, clients=40, products=40, orders=200, configuration=name) for name in ("ut", "unf", "bp"))
    sale, cash = "Document_РеализацияТоваровУслуг", "Document_ПриходныйКассовыйОрдер"
    shipped = _sums(ut, (sale,))
    assert shipped == _sums(unf, ("Document_РасходнаяНакладная", "Document_АктВыполненныхРабот")) == _sums(bp, (sale,))
    paid = _sums(ut, ("Document_ПоступлениеБезналичныхДенежныхСредств", cash))
    assert paid == _sums(unf, ("Document_ПоступлениеНаСчет", "Document_ПоступлениеВКассу"))
    assert paid == _sums(bp, ("Document_ПоступлениеНаРасчетныйСчет", cash), "Контрагент")
    assert sum(shipped.values()) > 0 < sum(paid.values())
    assert _sums(ut, ("Document_ЗаказКлиента",)) == _sums(unf, ("Document_ЗаказПокупателя",))
    assert _numbers(ut) == _numbers(unf) == _numbers(bp)
    assert len(ut.records(TASKS)) == len(unf.records(TASKS)) == len(bp.records(TASKS)) == 25


def test_documents_of_unf_add_up(unf: OneCStand) -> None:
    """A document is the sum of its lines with VAT; lines name a unit, a pack with the price of a pack."""
    units = Counter[str]()
    for name, part in (
        ("Document_ЗаказПокупателя", "Запасы"),
        ("Document_СчетНаОплату", "Запасы"),
        ("Document_РасходнаяНакладная", "Запасы"),
        ("Document_АктВыполненныхРабот", "РаботыИУслуги"),
        ("Document_ПоступлениеНаСчет", "РасшифровкаПлатежа"),
    ):
        field = "СуммаПлатежа" if part == "РасшифровкаПлатежа" else "Всего"
        for document in unf.world.records(name):
            rows = rows_of(document[part])
            total = sum(round(row[field] * 100) for row in rows)
            assert total == round(document["СуммаДокумента"] * 100), name
            units.update(row["ЕдиницаИзмерения_Type"] for row in rows if field == "Всего")
    assert units.keys() == {
        "StandardODATA.Catalog_КлассификаторЕдиницИзмерения",
        "StandardODATA.Catalog_ЕдиницыИзмерения",
    }


def test_documents_of_bp_add_up(bp: OneCStand) -> None:
    """A sale is its goods and its services, VAT on top where prices are without; rates are names, not references."""
    rates, parts = Counter[str](), Counter[str]()
    for sale in bp.world.records("Document_РеализацияТоваровУслуг"):
        total = 0
        for part in ("Товары", "Услуги"):
            for row in rows_of(sale[part]):
                vat = 0 if sale["СуммаВключаетНДС"] else row["СуммаНДС"]
                total += round((row["Сумма"] + vat) * 100)
                rates[row["СтавкаНДС"]] += 1
                parts[part] += 1
        assert total == round(sale["СуммаДокумента"] * 100)
        assert sale["ДоговорКонтрагента_Key"] != EMPTY_REF
    assert {"НДС20", "НДС22", "НДС10"} <= rates.keys()
    assert min(parts["Товары"], parts["Услуги"]) > 0


def test_contracts_have_the_owner_of_their_configuration(unf: OneCStand, bp: OneCStand) -> None:
    """УНФ's owner is composite and asks for a cast, БП's is a plain reference."""
    party = unf.world.records("Document_ЗаказПокупателя")[0]["Контрагент_Key"]
    with Client(unf) as client:
        path = f"Catalog_ДоговорыКонтрагентов?$filter=Owner eq cast(guid'{party}','Catalog_Контрагенты')"
        assert {row["Owner"] for row in client.rows(path)} == {party}
        assert client.rows(f"Catalog_ДоговорыКонтрагентов?$filter=Owner eq guid'{party}'") == []
    with Client(bp) as client:
        sale = bp.world.records("Document_РеализацияТоваровУслуг")[0]["Контрагент_Key"]
        found = client.rows(f"Catalog_ДоговорыКонтрагентов?$filter=Owner_Key eq guid'{sale}'")
        assert {row["Owner_Key"] for row in found} == {sale}


@pytest.mark.parametrize(
    ("name", "sale", "contract", "currency"),
    [
        ("unf", "Document_РасходнаяНакладная", "Договор_Key", "ВалютаРасчетов_Key"),
        ("bp", "Document_РеализацияТоваровУслуг", "ДоговорКонтрагента_Key", "ВалютаВзаиморасчетов_Key"),
    ],
)
def test_a_document_has_the_currency_of_its_contract(name: str, sale: str, contract: str, currency: str) -> None:
    """Who buys in dollars under a rouble contract gets another one; client and organisation are the contract's too."""
    world = build(4, clients=40, products=50, orders=300, configuration=name)
    contracts = world.tables["Catalog_ДоговорыКонтрагентов"].rows
    currencies = Counter[str]()
    for document in world.records(sale):
        known = contracts[document[contract]]
        assert known[currency] == document["ВалютаДокумента_Key"]
        assert (known.get("Owner_Key") or known.get("Owner")) == document["Контрагент_Key"]
        assert known["Организация_Key"] == document["Организация_Key"]
        currencies[known[currency]] += 1
    assert len(currencies) == 2


def test_guessed_names_are_marked() -> None:
    """What a recording or a client shows is told from what is general knowledge, down to single fields."""
    assert "AccumulationRegister_ЗаказыПокупателей" in UNF_MODEL.guessed
    assert "Catalog_Контрагенты" not in UNF_MODEL.guessed
    fields = UNF_MODEL.guessed_fields("Catalog_Контрагенты")
    assert "КодПоОКПО" in fields
    assert "Покупатель" not in fields
    assert BP_MODEL.guessed_fields("Document_РеализацияТоваровУслуг") == ()
    assert len(BP_MODEL.guessed_fields("Document_ПриходныйКассовыйОрдер")) > 10


def test_unf_stamps_the_time_of_a_change() -> None:
    """ДатаИзменения grows with every change, by a user or over OData: a filter on it finds just what changed."""
    world = build(2, configuration="unf", **SIZES)
    with OneCStand(world) as stand, Client(stand) as client:
        name, edge = "Catalog_Номенклатура", world.clock.isoformat()
        later = f"{name}?$select=Ref_Key&$filter=ДатаИзменения gt datetime'{edge}'"
        assert client.rows(later) == []
        first, second = (str(r["Ref_Key"]) for r in world.records(name)[-2:])
        world.edit(name, first, {"Артикул": "А-1"})
        assert client.write("PATCH", f"{name}(guid'{second}')", {"Артикул": "А-2"}).status == 200
        assert {row["Ref_Key"] for row in client.rows(later)} == {first, second}
        stamps = [world.tables[name].rows[key]["ДатаИзменения"] for key in (first, second)]
        assert stamps[0] < stamps[1]


@pytest.mark.parametrize("name", ["ut", "unf", "bp"])
def test_tasks_are_made_found_and_executed(name: str) -> None:
    """A task is created over OData, found by its performer, handed over by the exchange plan and executed once."""
    world = build(2, configuration=name, **SIZES)
    user = str(world.records("Catalog_Пользователи")[0]["Ref_Key"])
    fields = {"Description": "Позвонить", "Исполнитель": user, "Исполнитель_Type": f"{NAMESPACE}Catalog_Пользователи"}
    with OneCStand(world) as stand, Client(stand) as client:
        made = client.write("POST", TASKS, fields)
        assert made.status == 201
        key = made.json["Ref_Key"]
        assert len(made.json["Number"]) == 14
        mine = f"Executed eq false and Исполнитель eq cast(guid'{user}','Catalog_Пользователи')"
        assert key in {row["Ref_Key"] for row in client.rows(f"{TASKS}?$filter={mine}")}
        point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{NODE}')'"
        packet = client.write("POST", f"SelectChanges?DataExchangePoint={point}&MessageNo=1")
        assert [term(entry) for entry in packet.entries] == [TASKS]
        assert client.write("POST", f"{TASKS}(guid'{key}')/ExecuteTask").status == 200
        done = client.get(f"{TASKS}(guid'{key}')?$format=json").json
        assert done["Executed"]
        assert done["ДатаИсполнения"] > "2026-11-13"
        assert client.write("POST", f"{TASKS}(guid'{key}')/ExecuteTask").error[:2] == (500, "-1")
        assert client.write("POST", f"{TASKS}(guid'{key}')/Post").error[:2] == (400, "6")

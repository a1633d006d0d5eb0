"""What a base says in EnterpriseData and what it does with what it is told; nothing of a transport."""

from __future__ import annotations

import pytest

from stand.onec.enterprise.exchange import Refused
from stand.onec.model import EMPTY_REF
from stand.onec.movements import of_register
from stand.onec.server import OneCStand
from stand.onec.world import derived_guid
from tests.stand.enterprise.peer import ALL_TYPES, NS, PLAN, message, next_message, party, take
from tests.stand.enterprise.xdto import faults, needs_data

PARTIES, ITEMS, ORDERS = "Catalog_Контрагенты", "Catalog_Номенклатура", "Document_ЗаказКлиента"
DTD = b"<!DOCTYPE Message [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><Message"
NEW = derived_guid("a counterparty from elsewhere")


@needs_data
def test_messages_are_valid_by_the_vendors_packages(shape: OneCStand) -> None:
    """Header and every object of a whole base of each configuration pass the vendor's XDTO packages, made a schema."""
    node = shape.exchange.nodes.add("проверка")
    assert faults(shape.exchange.produce(node)) == []
    assert len(node.changes) > 300


@needs_data
def test_the_look_at_a_message_finds_mistakes() -> None:
    """The schema made of the packages refuses an unknown element, a missing one and a word that is none."""
    found = faults(message(1, party(NEW, "А").replace("Наименование>", "Имя>")))
    assert ["Имя" in item for item in found] == [True]
    assert len(faults(message(1, party(NEW, "А").replace("ЮридическоеЛицо<", "Лицо<")))) == 1
    assert len(faults(message(1, "").replace(b"From>", b"Fro>"))) == 1


def test_header_and_numbers(stand: OneCStand) -> None:
    """The header names both sides, the plan and the numbers; each message has the next number."""
    first, second = next_message(stand), next_message(stand)
    assert [first.head(name) for name in ("ExchangePlan", "To", "From", "MessageNo", "ReceivedNo")] == [
        PLAN, "ХАБ", "УТ", "1", "0",
    ]  # fmt: skip
    assert (second.head("MessageNo"), first.head("Format")) == ("2", NS["e"])
    names = [item.tag.split("}")[1] for item in first.root[0]]
    assert names == ["Format", "CreationDate", "Confirmation", "AvailableVersion", "AvailableObjectTypes", "Prefix"]


def test_only_what_is_loaded_is_said_to_be_received(shape: OneCStand) -> None:
    """A base declares receiving only for kinds that it has and loads: declared and dropped would be lost."""
    types = shape.exchange.announced
    assert types["Справочник.Контрагенты"] == (True, True)
    assert types["Справочник.Договоры"] == (True, False)
    assert ("Документ.ЗаказКлиента" in types) == (shape.world.configuration.name != "bp")


def test_an_order_tells_its_lines_and_who_it_is_for(stand: OneCStand) -> None:
    """An order carries the key properties of its counterparty and products, and sums as the record has them."""
    orders = {item.findtext(".//e:Ссылка", "", NS): item for item in next_message(stand).named("Документ.ЗаказКлиента")}
    assert orders.keys() == {record["Ref_Key"] for record in stand.world.records(ORDERS)}
    record = stand.world.records(ORDERS)[0]
    item = orders[record["Ref_Key"]]
    buyer = stand.world.get(PARTIES, record["Контрагент_Key"])
    assert buyer is not None
    assert item.findtext("e:Контрагент/e:Ссылка", "", NS) == record["Контрагент_Key"]
    assert item.findtext("e:Контрагент/e:Наименование", "", NS) == buyer["Description"]
    assert float(item.findtext("e:Сумма", "", NS)) == pytest.approx(record["СуммаДокумента"])
    lines = record["Товары"]() if callable(record["Товары"]) else record["Товары"]
    told = [float(row.findtext("e:Сумма", "", NS)) for row in item.iterfind("*/e:Строка", NS)]
    assert sorted(told) == sorted(line["Сумма"] for line in lines)


def test_unconfirmed_objects_come_again_and_confirmed_ones_do_not(stand: OneCStand) -> None:
    """What a message carried goes with each later one until its number is confirmed; a change after it stays."""
    first = next_message(stand)
    key = stand.world.records(PARTIES)[0]["Ref_Key"]
    stand.world.edit(PARTIES, key, {"КПП": "770501001"})
    assert next_message(stand).refs == first.refs
    take(stand, message(1, received=1))
    assert next_message(stand).refs == {key}
    take(stand, message(2, received=3))
    last = next_message(stand)
    assert (last.objects, last.head("ReceivedNo")) == ([], "2")


def test_a_deletion_is_told_only_to_who_knows_the_object(stand: OneCStand) -> None:
    """A marked or deleted object is told as a deletion after it was confirmed, and not at all before."""
    known, unknown = (record["Ref_Key"] for record in stand.world.records(PARTIES)[:2])
    next_message(stand)
    take(stand, message(1, received=1))
    fresh = stand.world.add(PARTIES, {"Ref_Key": NEW, "Description": "Никто не знал"})["Ref_Key"]
    stand.world.delete(PARTIES, fresh)
    stand.world.edit(PARTIES, known, {"DeletionMark": True})
    stand.world.delete(PARTIES, unknown)
    found = next_message(stand)
    assert found.refs == {known, unknown}
    assert len(found.named("УдалениеОбъекта")) == 2


def test_a_counterparty_is_created_under_its_uuid(stand: OneCStand) -> None:
    """A new counterparty gets the uuid, fields and contacts of the message, and is not sent back."""
    contacts = (
        "<КонтактнаяИнформация><Строка><ВидКонтактнойИнформации>Телефон</ВидКонтактнойИнформации>"
        "<ЗначенияПолей>+7 495 000-00-00</ЗначенияПолей></Строка></КонтактнаяИнформация>"
    )
    next_message(stand)
    take(stand, message(1, party(NEW, "ООО Новый", "7705000001", "770501001", f"<ОКПО>1</ОКПО>{contacts}"), received=1))
    record = stand.world.get(PARTIES, NEW)
    assert record is not None
    assert [record[name] for name in ("Description", "ИНН", "КПП", "КодПоОКПО")] == [
        "ООО Новый", "7705000001", "770501001", "1",
    ]  # fmt: skip
    assert [(row["Тип"], row["Представление"]) for row in record["КонтактнаяИнформация"]] == [
        ("Телефон", "+7 495 000-00-00")
    ]
    assert next_message(stand).objects == []
    other = stand.exchange.nodes.add("ДР")
    assert (PARTIES, NEW) in other.changes


def test_a_counterparty_known_by_inn_is_changed_and_keeps_both_uuids(stand: OneCStand) -> None:
    """Found by ИНН and КПП it is one record; the peer goes on hearing its own uuid."""
    record = next(r for r in stand.world.records(PARTIES) if r.get("ИНН") and r.get("КПП"))
    count = len(stand.world.tables[PARTIES])
    take(stand, message(1, party(NEW, "По-новому", record["ИНН"], record["КПП"])))
    assert (len(stand.world.tables[PARTIES]), record["Description"]) == (count, "По-новому")
    stand.world.edit(PARTIES, record["Ref_Key"], {"КодПоОКПО": "55"})
    assert NEW in next_message(stand).refs
    take(stand, message(2, party(NEW, "Ещё раз")))
    assert (len(stand.world.tables[PARTIES]), record["Description"]) == (count, "Ещё раз")


def _order(stand: OneCStand, uuid: str) -> str:
    item = next(r for r in stand.world.records(ITEMS) if r.get("ТипНоменклатуры") == "Товар")
    firm = stand.world.records("Catalog_Организации")[0]
    product = f"<Ссылка>{item['Ref_Key']}</Ссылка><Наименование>{item['Description']}</Наименование>"
    made = f"<Ссылка>{derived_guid('glue')}</Ссылка><Наименование>Клей</Наименование><Артикул>КЛ-1</Артикул>"
    line = (
        "<Строка><НомерСтрокиДокумента>{0}</НомерСтрокиДокумента><ДанныеНоменклатуры><Номенклатура>{1}</Номенклатура>"
        "</ДанныеНоменклатуры><Количество>2.000</Количество><Сумма>200.50</Сумма><Цена>100.25</Цена>"
        "<СтавкаНДС>НДС20</СтавкаНДС><СуммаНДС>33.42</СуммаНДС></Строка>"
    )
    keys = f"<Ссылка>{uuid}</Ссылка><Дата>2026-11-14T09:00:00</Дата><Номер>ХБ-000001</Номер>"
    keys += f"<Организация><Ссылка>{firm['Ref_Key']}</Ссылка><Наименование>x</Наименование></Организация>"
    return (
        f"<Документ.ЗаказКлиента><КлючевыеСвойства>{keys}</КлючевыеСвойства><Валюта><ДанныеКлассификатора>"
        "<Код>643</Код></ДанныеКлассификатора></Валюта><Сумма>401.00</Сумма><Контрагент>"
        f"<Ссылка>{NEW}</Ссылка><Наименование>Из заказа</Наименование></Контрагент>"
        f"<Товары>{line.format(1, product)}{line.format(2, made)}</Товары></Документ.ЗаказКлиента>"
    )


def test_an_order_is_written_and_posted(stand: OneCStand) -> None:
    """An order comes with its lines, makes what it mentions and the base lacks, and moves the register of orders."""
    uuid = derived_guid("an order")
    take(stand, message(1, _order(stand, uuid)))
    order = stand.world.get(ORDERS, uuid)
    assert order is not None
    assert (order["Number"], order["СуммаДокумента"], order["Posted"]) == ("ХБ-000001", 401, True)
    assert [(row["Количество"], row["Сумма"], row["Цена"]) for row in order["Товары"]] == [(2, 200.5, 100.25)] * 2
    assert EMPTY_REF not in {row["СтавкаНДС_Key"] for row in order["Товары"]}
    buyer, glue = stand.world.get(PARTIES, NEW), stand.world.get(ITEMS, derived_guid("glue"))
    assert buyer is not None
    assert glue is not None
    assert (buyer["Description"], glue["Артикул"]) == ("Из заказа", "КЛ-1")
    assert next_message(stand).refs.isdisjoint({uuid, NEW})
    moved = [move.recorder for move in of_register(stand.world, "AccumulationRegister_ЗаказыКлиентов")]
    assert uuid in moved


def _gone(name: str, uuid: str) -> str:
    reference = f"<СсылкаНаОбъект><СсылкаНаОбъект><{name}>{uuid}</{name}></СсылкаНаОбъект></СсылкаНаОбъект>"
    return f"<УдалениеОбъекта>{reference}</УдалениеОбъекта>"


def test_a_deletion_marks_the_object(stand: OneCStand) -> None:
    """A deletion sets the mark and unposts; an object that is not here is counted as passed over."""
    key = stand.world.records(ORDERS)[0]["Ref_Key"]
    take(stand, message(1, _gone("ЗаказКлиентаСсылка", key) + _gone("КонтрагентыСсылка", NEW)))
    order = stand.world.get(ORDERS, key)
    assert order is not None
    assert (order["DeletionMark"], order["Posted"]) == (True, False)
    node = stand.exchange.nodes.by_code["ХАБ"]
    assert (node.loaded, node.skipped) == (1, 1)


def test_kinds_that_are_not_received_are_passed_over(stand: OneCStand) -> None:
    """An object of a kind the base does not receive changes nothing, and the message counts as received."""
    version = stand.world.version
    take(stand, message(5, "<Справочник.Договоры/><Справочник.Склады/>"))
    node = stand.exchange.nodes.by_code["ХАБ"]
    assert (node.skipped, node.received, stand.world.version) == (2, 5, version)


@pytest.mark.parametrize("lowers", [False, True])
def test_an_old_message_is_passed_over(stand: OneCStand, lowers: bool) -> None:
    """A number not above the last one: nothing is loaded or confirmed; what becomes of the number is a switch."""
    stand.quirks.old_message_lowers_number = lowers
    next_message(stand)
    take(stand, message(4))
    take(stand, message(3, party(NEW, "Поздно"), received=1))
    node = stand.exchange.nodes.by_code["ХАБ"]
    assert stand.world.get(PARTIES, NEW) is None
    assert (node.received, bool(node.changes)) == (3 if lowers else 4, True)


def test_a_message_without_a_number_confirms_nothing(stand: OneCStand) -> None:
    """Number 0 loads the objects, and leaves both numbers as they were."""
    next_message(stand)
    take(stand, message(0, party(NEW, "Без номера"), received=1))
    node = stand.exchange.nodes.by_code["ХАБ"]
    assert stand.world.get(PARTIES, NEW) is not None
    assert (node.received, bool(node.changes)) == (0, True)


def test_settings_come_without_a_body(stand: OneCStand) -> None:
    """A message whose format has no version tells what the peer receives; only that is sent from then on."""
    take(stand, message(0, None, version="", types=ALL_TYPES[:1]))
    assert {item.tag.split("}")[1] for item in next_message(stand).objects} == {"Справочник.Контрагенты"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (message(1, to="НЕ"), "Получатель из сообщения обмена не соответствует"),
        (message(1, sender="НЕ"), "Не найден узел обмена"),
        (message(1, version="0.9"), 'Версия "0.9"'),
        (message(1).replace(b"edi_stnd/EnterpriseData", b"other"), "не соответствует формату плана обмена"),
        (message(1, None), "Ошибка формата файла обмена"),
        (b"<Message/>", "Ошибка при загрузке данных"),
        (b"not xml", "Ошибка при загрузке данных"),
        (message(1, party(NEW, "&x;")), "Ошибка при загрузке данных"),
        (message(1).replace(b"<Message", DTD), "DOCTYPE"),
    ],
)  # fmt: skip
def test_what_is_refused(stand: OneCStand, data: bytes, text: str) -> None:
    """Other sides, versions and formats, and anything that is no plain XML, are refused with БСП's sentences."""
    with pytest.raises(Refused, match=text):
        take(stand, data)
    assert stand.exchange.nodes.by_code["ХАБ"].received == 0


def test_a_new_code_of_the_sender_is_accepted(stand: OneCStand) -> None:
    """``NewFrom`` names the node where ``From`` is an alias."""
    take(stand, message(1, sender="старый", more="<h:NewFrom>ХАБ</h:NewFrom>"))
    assert stand.exchange.nodes.by_code["ХАБ"].received == 1


def test_a_restored_base_forgets_what_it_sent(stand: OneCStand) -> None:
    """A snapshot holds the numbers and the registration of every node."""
    stand.snapshots.take()
    next_message(stand)
    take(stand, message(1, received=1))
    stand.snapshots.restore()
    again = next_message(stand)
    assert (again.head("MessageNo"), again.head("ReceivedNo")) == ("1", "0")
    assert again.objects

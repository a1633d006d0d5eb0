"""SelectChanges and NotifyChangesReceived: numbering, tombstones, what a packet holds."""

from __future__ import annotations

from lxml import etree

from stand.onec.generate.build import NODE, THIS_NODE
from stand.onec.server import OneCStand
from tests.stand.client import NS, Client, term

PARTIES, ORDERS = "Catalog_Контрагенты", "Document_ЗаказКлиента"
REGISTER = "AccumulationRegister_ЗаказыКлиентов"


def _call(stand: OneCStand, own: Client, function: str, number: int, node: str = NODE) -> tuple[int, bytes]:
    point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{node}')'"
    answer = own.write("POST", f"{function}?DataExchangePoint={point}&MessageNo={number}")
    return answer.status, answer.body


def _packet(stand: OneCStand, own: Client, number: int) -> list[str]:
    """Addresses of the entries of one packet, below the root, in order."""
    status, body = _call(stand, own, "SelectChanges", number)
    assert status == 200, body.decode()
    ids = [str(entry.findtext("a:id", namespaces=NS)) for entry in etree.fromstring(body).findall("a:entry", NS)]
    return [text.removeprefix(f"{stand.url}/") for text in ids]


def _touch(stand: OneCStand, index: int) -> str:
    key = str(stand.world.records(PARTIES)[index]["Ref_Key"])
    stand.world.edit(PARTIES, key, {"ДополнительнаяИнформация": "изменено"})
    return f"{PARTIES}(guid'{key}')"


def test_a_fresh_base_has_nothing_to_say(stand: OneCStand, own: Client) -> None:
    """Nothing is registered before something changes."""
    assert _packet(stand, own, 1) == []


def test_numbering(stand: OneCStand, own: Client) -> None:
    """A repeat with the same number is old plus newly changed; a later number gives only the unstamped."""
    first, second = _touch(stand, 0), _touch(stand, 1)
    assert _packet(stand, own, 1) == [first, second]
    third = _touch(stand, 2)
    assert _packet(stand, own, 1) == [first, second, third]
    fourth = _touch(stand, 3)
    assert _packet(stand, own, 2) == [fourth]
    assert _call(stand, own, "NotifyChangesReceived", 1)[0] == 200
    assert _packet(stand, own, 1) == []
    assert _packet(stand, own, 2) == [fourth]


def test_a_change_after_sending_survives_the_acknowledgement(stand: OneCStand, own: Client) -> None:
    """An object changed between SelectChanges and NotifyChangesReceived has lost its stamp and comes again."""
    address = _touch(stand, 0)
    assert _packet(stand, own, 1) == [address]
    _touch(stand, 0)
    _call(stand, own, "NotifyChangesReceived", 1)
    assert _packet(stand, own, 2) == [address]


def test_numbers_of_the_node_follow(stand: OneCStand, own: Client) -> None:
    """The plan's entity shows the last sent and received numbers, as strings."""
    _touch(stand, 0)
    _packet(stand, own, 7)
    node = own.get(f"ExchangePlan_ДляODATA(guid'{NODE}')?$format=json").json
    assert (node["SentNo"], node["ReceivedNo"]) == ("7", "0")
    _call(stand, own, "NotifyChangesReceived", 7)
    assert own.get(f"ExchangePlan_ДляODATA(guid'{NODE}')?$format=json").json["ReceivedNo"] == "7"


def test_an_order_brings_its_record_set(stand: OneCStand, own: Client) -> None:
    """A changed document comes whole, with the record set it writes; the unmarked fields too, whatever is asked."""
    order = stand.world.records(ORDERS)[0]
    stand.world.edit(ORDERS, order["Ref_Key"], {"Комментарий": "изменено"})
    point = f"'{stand.url}/ExchangePlan_ДляODATA(guid'{NODE}')'"
    answer = own.write(
        "POST", f"SelectChanges?DataExchangePoint={point}&MessageNo=1&$top=1&$select=Number&$format=json"
    )
    assert answer.headers["content-type"].startswith("application/atom+xml")
    entries = answer.entries
    assert [term(entry) for entry in entries] == [ORDERS, REGISTER]
    assert entries[0].findtext(".//d:Комментарий", namespaces=NS) == "изменено"
    assert entries[0].findtext(".//d:СуммаДокумента", namespaces=NS)


def test_deleted_objects_are_tombstones(stand: OneCStand, own: Client) -> None:
    """Physical deletion is an at:deleted-entry with the address of what is gone."""
    key = str(stand.world.records(PARTIES)[0]["Ref_Key"])
    stand.world.delete(PARTIES, key)
    status, body = _call(stand, own, "SelectChanges", 1)
    gone = etree.fromstring(body).findall("at:deleted-entry", NS)
    assert status == 200
    assert [entry.get("ref") for entry in gone] == [f"{stand.url}/{PARTIES}(guid'{key}')"]


def test_an_emptied_record_set_is_sent_empty(stand: OneCStand, own: Client) -> None:
    """A document that is unposted sends its record set without rows."""
    order = next(o for o in stand.world.records(ORDERS) if o["Posted"])
    stand.world.edit(ORDERS, order["Ref_Key"], {"Posted": False})
    _, body = _call(stand, own, "SelectChanges", 1)
    sets = [e for e in etree.fromstring(body).findall("a:entry", NS) if REGISTER in str(e.findtext("a:id", None, NS))]
    assert len(sets) == 1
    assert list(sets[0].iter(f"{{{NS['d']}}}element")) == []


def test_unwritable_characters_stop_the_packet(stand: OneCStand, own: Client) -> None:
    """One character XML cannot hold spoils the whole packet with 400, and nothing is stamped."""
    good, bad = _touch(stand, 0), str(stand.world.records(PARTIES)[1]["Ref_Key"])
    stand.world.edit(PARTIES, bad, {"Description": "бракованный\x02символ"})
    assert _call(stand, own, "SelectChanges", 1)[0] == 400
    stand.world.edit(PARTIES, bad, {"Description": "чистый"})
    assert _packet(stand, own, 2) == [good, f"{PARTIES}(guid'{bad}')"]


def test_unchanged_rewrites_are_registered_too(stand: OneCStand, own: Client) -> None:
    """Writing a record without changing it registers it, as in 1C."""
    key = str(stand.world.records(PARTIES)[0]["Ref_Key"])
    stand.world.touch(PARTIES, key)
    assert _packet(stand, own, 1) == [f"{PARTIES}(guid'{key}')"]


def test_everything_can_be_registered(stand: OneCStand, own: Client) -> None:
    """«Зарегистрировать все»: the whole base in one packet."""
    stand.engine.exchange.register_all(NODE)
    total = sum(len(t) for n, t in stand.world.tables.items() if n.startswith(("Catalog_", "Document_", "Task_")))
    assert len(_packet(stand, own, 1)) == total


def test_mistakes(stand: OneCStand, own: Client) -> None:
    """A missing argument, an unknown node, another plan, a number that is none, a GET: each its own refusal."""
    assert own.write("POST", "SelectChanges?MessageNo=1").error[:2] == (400, "12")
    assert _call(stand, own, "SelectChanges", 1, THIS_NODE)[0] == 404
    point = f"'{stand.url}/ExchangePlan_Нет(guid'{NODE}')'"
    assert own.write("POST", f"SelectChanges?DataExchangePoint={point}&MessageNo=1").error[:2] == (404, "8")
    point = point.replace("Нет", "ДляODATA")
    assert own.write("POST", f"SelectChanges?DataExchangePoint={point}&MessageNo=x").error[:2] == (400, "1")
    assert own.write("POST", "SelectChanges?DataExchangePoint='x'&MessageNo=1").error[:2] == (400, "1")
    assert own.get(f"SelectChanges?DataExchangePoint={point}&MessageNo=1").status == 404
    assert stand.requests.writes == 0

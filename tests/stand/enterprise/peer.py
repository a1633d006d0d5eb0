"""The other side of an exchange: messages written by hand, and what is in those of the stand."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from lxml import etree

from stand.onec.server import OneCStand

PLAN = "СинхронизацияДанныхЧерезУниверсальныйФормат"
FORMAT = "http://v8.1c.ru/edi/edi_stnd/EnterpriseData"
NS = {"m": "http://www.1c.ru/SSL/Exchange/Message", "e": f"{FORMAT}/1.8"}
ALL_TYPES = ("Справочник.Контрагенты", "Справочник.Номенклатура", "Документ.ЗаказКлиента")


def message(
    number: int,
    body: str | None = "",
    *,
    received: int = 0,
    to: str = "УТ",
    sender: str = "ХАБ",
    version: str = "1.8",
    types: tuple[str, ...] = (),
    plan: str = PLAN,
    more: str = "",
) -> bytes:
    """A message as another program writes it: no BOM, prefixes of its own."""
    known = "".join(
        f"<h:ObjectType><h:Name>{t}</h:Name><h:Sending>*</h:Sending><h:Receiving>*</h:Receiving></h:ObjectType>"
        for t in types
    )
    objects = f"<h:AvailableObjectTypes>{known}</h:AvailableObjectTypes>" if types else ""
    place = f"{FORMAT}/{version}" if version else FORMAT
    inside = "" if body is None else f"<Body xmlns='{place}'>{body}</Body>"
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><Message xmlns:h='{NS['m']}'><h:Header><h:Format>{place}</h:Format>"
        f"<h:CreationDate>2026-11-14T10:00:00</h:CreationDate><h:Confirmation><h:ExchangePlan>{plan}</h:ExchangePlan>"
        f"<h:To>{to}</h:To><h:From>{sender}</h:From><h:MessageNo>{number}</h:MessageNo>"
        f"<h:ReceivedNo>{received}</h:ReceivedNo></h:Confirmation><h:AvailableVersion>1.8</h:AvailableVersion>{more}"
        f"{objects}</h:Header>{inside}</Message>"
    ).encode()


def party(uuid: str, name: str, inn: str = "", kpp: str = "", more: str = "") -> str:
    """A counterparty."""
    keys = f"<Ссылка>{uuid}</Ссылка><Наименование>{name}</Наименование>"
    keys += f"<ИНН>{inn}</ИНН><КПП>{kpp}</КПП>" if inn else ""
    keys += "<ЮридическоеФизическоеЛицо>ЮридическоеЛицо</ЮридическоеФизическоеЛицо>"
    return f"<Справочник.Контрагенты><КлючевыеСвойства>{keys}</КлючевыеСвойства>{more}</Справочник.Контрагенты>"


@dataclass(frozen=True)
class Told:
    """A message of the stand."""

    root: etree._Element

    def head(self, name: str) -> str:
        """The text of an element of the header, wherever it stands there."""
        return self.root.findtext(f"m:Header//m:{name}", "", NS)

    @property
    def objects(self) -> list[etree._Element]:
        """Objects of the body."""
        return [*self.root.iterfind("e:Body/*", NS)]

    def named(self, name: str) -> list[etree._Element]:
        """Objects of one kind."""
        return [item for item in self.objects if etree.QName(item).localname == name]

    @property
    def refs(self) -> set[str]:
        """References of all objects themselves, deletions too."""
        found = {item.findtext("e:КлючевыеСвойства/e:Ссылка", "", NS) for item in self.objects}
        return {*found, *(item[0][0][0].text or "" for item in self.named("УдалениеОбъекта"))} - {""}


def told(data: bytes) -> Told:
    """The message in these bytes, or in the first file of this archive."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(archive.infolist()[0])
    assert data.startswith(b"\xef\xbb\xbf"), "a message begins with a byte order mark"
    return Told(etree.fromstring(data[3:]))


def archive(data: bytes, name: str = "data.xml") -> bytes:
    """A ZIP with this one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return buffer.getvalue()


def next_message(stand: OneCStand) -> Told:
    """What the stand would send its peer now; its number goes up."""
    return told(stand.exchange.produce(stand.exchange.nodes.by_code["ХАБ"]))


def take(stand: OneCStand, data: bytes) -> None:
    """Give the stand a message."""
    stand.exchange.accept(stand.exchange.nodes.by_code["ХАБ"], data)

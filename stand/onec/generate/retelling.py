"""What the retellings of a business share: the look-ups into the УТ base that tells it, and small makers of records."""

from __future__ import annotations

from functools import partial
from typing import Any

from stand.onec.model import EMPTY_REF
from stand.onec.world import FIRST_VERSION, Record, Rows, World, derived_guid, rows_of, type_name

PARTIES = "Catalog_Контрагенты"
CONTRACTS = "Catalog_ДоговорыКонтрагентов"
SALE = "Document_РеализацияТоваровУслуг"
BANK = "Document_ПоступлениеБезналичныхДенежныхСредств"
CASH = "Document_ПриходныйКассовыйОрдер"
HEAD = ("Ref_Key", "DataVersion", "Description", "DeletionMark")
DOCUMENT = ("Ref_Key", "DataVersion", "DeletionMark", "Date", "Posted", "Комментарий")


def pick(record: Record, *names: str, **renamed: str) -> Record:
    """Those fields that the record has; ``renamed``: new name → old name."""
    found = {name: record[name] for name in names if name in record}
    return found | {new: record[old] for new, old in renamed.items() if old in record}


def typed(name: str, key: str, target: str) -> Record:
    """A composite reference and its type; nothing for an empty one."""
    return {name: key, f"{name}_Type": type_name(target)} if key not in ("", EMPTY_REF) else {}


class Business:
    """The УТ base that is told anew, with what other configurations look at it by."""

    def __init__(self, source: World, target: World) -> None:
        self.source = source
        self.target = target
        tables = source.tables
        self.partners = tables["Catalog_Партнеры"].rows
        self.party_of: dict[str, str] = {}
        for party in tables[PARTIES]:
            self.party_of.setdefault(party["Партнер_Key"], party["Ref_Key"])
        self.person_of: dict[str, str] = {}
        for person in tables["Catalog_КонтактныеЛицаПартнеров"]:
            self.person_of.setdefault(person["Owner_Key"], person["Ref_Key"])
        self.rub = next(r["Ref_Key"] for r in tables["Catalog_Валюты"] if r["Description"] == "RUB")
        self.rates = {
            r["Ref_Key"]: (str(r["ПеречислениеСтавкаНДС"]), int(r["Ставка"])) for r in tables["Catalog_СтавкиНДС"]
        }
        self.services = {r["Ref_Key"] for r in tables["Catalog_Номенклатура"] if r.get("ТипНоменклатуры") == "Услуга"}
        self.unit_of = {r["Ref_Key"]: r.get("ЕдиницаИзмерения_Key", EMPTY_REF) for r in tables["Catalog_Номенклатура"]}
        self._courses = self._by_date()
        self.shipped: dict[str, tuple[str, str]] = {}
        for sale in tables[SALE]:
            if sale["Posted"]:
                self.shipped.setdefault(sale["ЗаказКлиента"], (sale["Date"], sale["Ref_Key"]))

    def _by_date(self) -> dict[str, list[tuple[str, float, str]]]:
        found: dict[str, list[tuple[str, float, str]]] = {}
        for row in self.source.tables["InformationRegister_КурсыВалют"]:
            found.setdefault(row["Валюта_Key"], []).append((row["Period"], row["Курс"], row["Кратность"]))
        return {key: sorted(rows) for key, rows in found.items()}

    def course(self, currency: str, when: str) -> Record:
        """``Курс`` and ``Кратность`` of a currency at a moment; the oldest known one before that."""
        rows = self._courses.get(currency, [("", 1, "1")])
        known = [row for row in rows if row[0] <= when] or rows[:1]
        return {"Курс": known[-1][1], "Кратность": known[-1][2]}

    def put(self, name: str, *parts: Record, **fields: Any) -> str:
        """Store a record in the new base; returns its key."""
        record: Record = {"DataVersion": FIRST_VERSION}
        for part in parts:
            record |= part
        record |= fields
        self.target.put(name, record)
        return str(record.get("Ref_Key", ""))

    def copy(self, name: str, *names: str, **renamed: str) -> None:
        """Tell a whole catalogue under the same name, with those fields."""
        for record in self.source.tables[name]:
            self.put(name, pick(record, *HEAD, *names, **renamed))

    def contract(self, document: Record) -> str:
        """The document's own contract if the currency is the same, or the client's main one, made when missing."""
        known = str(document.get("Договор_Key", EMPTY_REF))
        table = self.source.tables[CONTRACTS].rows
        if known in table and table[known]["ВалютаВзаиморасчетов_Key"] == document["Валюта_Key"]:
            return known
        party, org, currency = document["Контрагент_Key"], document["Организация_Key"], document["Валюта_Key"]
        key = derived_guid(f"contract {party} {org} {currency}")
        if key not in self.target.tables[CONTRACTS].rows:
            self.main_contract(key, party, org, currency)
        return key

    def main_contract(self, key: str, party: str, org: str, currency: str) -> None:
        """Store the contract that a program makes when nobody signed one."""
        raise NotImplementedError

    def told(self, rows: Rows | partial[Rows] | None, tell: Any) -> partial[Rows]:
        """Rows made from others when they are read; ``tell(rows)`` gives them without numbers."""
        return partial(_numbered, rows, tell)


def _numbered(rows: Any, tell: Any) -> Rows:
    return [{"LineNumber": str(number), **row} for number, row in enumerate(tell(rows_of(rows)), 1)]

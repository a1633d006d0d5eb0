"""The business as БП 3.0 writes it down: catalogues, the chart of accounts, prices (see ``bp_documents`` too)."""

from __future__ import annotations

from functools import partial
from typing import Any

from stand.onec.generate.bp_documents import tell_documents
from stand.onec.generate.retelling import CONTRACTS, HEAD, PARTIES, Business, pick, typed
from stand.onec.model import EMPTY_REF
from stand.onec.movements_bp import ACCOUNTS, CHART, KINDS, account_key, kind_key
from stand.onec.world import Record, Rows, World, derived_guid, rows_of

PRICES = "InformationRegister_ЦеныНоменклатуры"
_RATES = {"НДС20": "Общая", "НДС22": "Общая", "НДС10": "Пониженная", "НДС0": "Нулевая", "БезНДС": "БезНДС"}
#: What goods cost, in per cent of the first retail price.
_COST = 65


class Bp(Business):
    """A business told by БП. ``costs``: kopecks a product's unit was bought for; ``groups``: of goods, of services."""

    def __init__(self, source: World, target: World) -> None:
        super().__init__(source, target)
        self.groups = {kind: derived_guid(f"group {kind}") for kind in ("Товары", "Услуги")}
        self.retail = next(iter(source.tables["Catalog_ВидыЦен"]))["Ref_Key"]
        self.costs = self._costs()
        first = next(iter(source.tables[PARTIES]), {})
        self.supplier = str(
            next(
                (p["Ref_Key"] for p in source.tables[PARTIES] if self.partners[p["Партнер_Key"]].get("Поставщик")),
                first.get("Ref_Key", EMPTY_REF),
            )
        )

    def _costs(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for document in self.source.hidden:
            for row in rows_of(document["~movements"].get(PRICES)):
                if row["ВидЦены_Key"] == self.retail:
                    found.setdefault(row["Номенклатура_Key"], round(row["Цена"] * _COST))
        return found

    def account(self, org: str) -> str:
        """The bank account of an organisation."""
        return derived_guid(f"bank account {org}")

    def group(self, product: str) -> str:
        """The group of goods or services that sales are counted by."""
        return self.groups["Услуги" if product in self.services else "Товары"]

    def main_contract(self, key: str, party: str, org: str, currency: str) -> None:
        """«Без договора»: in БП nobody is paid without one."""
        self.put(
            CONTRACTS, Ref_Key=key, Owner_Key=party, Code=f"БП-{len(self.target.tables[CONTRACTS]) + 1:06d}",
            Description="Без договора", ВидДоговора="СПокупателем", ВалютаВзаиморасчетов_Key=currency,
            Организация_Key=org, Валютный=currency != self.rub,
        )  # fmt: skip


def retell(source: World, target: World) -> None:
    """Fill ``target`` with the business of ``source``."""
    bp = Bp(source, target)
    _small(bp)
    _chart(bp)
    _goods(bp)
    _parties(bp)
    _persons(bp)
    _contracts(bp)
    _prices(bp)
    tell_documents(bp)


def _small(bp: Bp) -> None:
    bp.copy("Catalog_Валюты", "Code", "НаименованиеПолное", "ЗагружаетсяИзИнтернета")
    for row in bp.source.tables["InformationRegister_КурсыВалют"]:
        bp.target.put("InformationRegister_КурсыВалют", dict(row))
    users = ("ИдентификаторПользователяИБ", "Недействителен", "Подготовлен", "Служебный", "Predefined")
    bp.copy("Catalog_Пользователи", *users, "PredefinedDataName")
    names = ("Code", "НаименованиеСокращенное", "НаименованиеПолное", "Префикс", "ИНН", "КПП", "ОГРН")
    for number, org in enumerate(bp.source.tables["Catalog_Организации"], 1):
        own = org["Ref_Key"]
        told = pick(org, *HEAD, *names, "ЮридическоеФизическоеЛицо", "КонтактнаяИнформация")
        bp.put("Catalog_Организации", told, ОсновнойБанковскийСчет_Key=bp.account(own))
        bp.put(
            "Catalog_БанковскиеСчета", typed("Owner", own, "Catalog_Организации"), Ref_Key=bp.account(own),
            Description=f"Расчетный счет {number}", Code=f"БП-{number:06d}", НомерСчета=f"4070281090000000{number:04d}",
            ВалютаДенежныхСредств_Key=bp.rub,
        )  # fmt: skip
    for number, place in enumerate(bp.source.tables["Catalog_Склады"], 1):
        told = pick(place, *HEAD, "Parent_Key", "IsFolder", "ТипСклада")
        bp.put("Catalog_Склады", told, Code=f"БП-{number:06d}")
    for number, kind in enumerate(bp.source.tables["Catalog_ВидыЦен"], 1):
        told = pick(kind, *HEAD, "ВалютаЦены_Key", "ЦенаВключаетНДС")
        bp.put("Catalog_ТипыЦенНоменклатуры", told, Code=f"БП-{number:06d}")


def _chart(bp: Bp) -> None:
    names = dict.fromkeys(kind for account in ACCOUNTS for kind in account.kinds)
    for number, name in enumerate(names, 1):
        bp.put(KINDS, Ref_Key=kind_key(name), Description=name, Code=f"{number:05d}", Predefined=True,
               PredefinedDataName=name)  # fmt: skip
    for account in ACCOUNTS:
        parent = account.code.rpartition(".")[0]
        bp.put(
            CHART, Ref_Key=account_key(account.code), Code=account.code, Description=account.name, Type=account.type,
            Order=account.code, Parent_Key=account_key(parent), Predefined=True, Валютный=account.foreign,
            Количественный=account.unit, ExtDimensionTypes=partial(_kinds, account.kinds),
        )  # fmt: skip


def _kinds(names: tuple[str, ...]) -> Rows:
    return [
        {"LineNumber": str(n), "ExtDimensionType_Key": kind_key(name), "Predefined": True, "Суммовой": True}
        for n, name in enumerate(names, 1)
    ]


def _goods(bp: Bp) -> None:
    for unit in bp.source.tables["Catalog_УпаковкиЕдиницыИзмерения"]:
        if not unit["Owner_Type"].endswith("Catalog_Номенклатура"):
            names = ("Code", "НаименованиеПолное", "МеждународноеСокращение")
            bp.put("Catalog_КлассификаторЕдиницИзмерения", pick(unit, *HEAD, *names))
    for number, (kind, key) in enumerate(bp.groups.items(), 1):
        bp.put("Catalog_НоменклатурныеГруппы", Ref_Key=key, Description=kind, Code=f"БП-{number:06d}")
    fields = ("Code", "Parent_Key", "IsFolder", "Артикул", "НаименованиеПолное", "ЕдиницаИзмерения_Key")
    for item in bp.source.tables["Catalog_Номенклатура"]:
        told = pick(item, *HEAD, *fields, Комментарий="Описание")
        if not item.get("IsFolder"):
            told |= {
                "Услуга": item["Ref_Key"] in bp.services,
                "ВидСтавкиНДС": _RATES.get(bp.rates[item["СтавкаНДС_Key"]][0], "Специальная"),
                "НоменклатурнаяГруппа_Key": bp.group(item["Ref_Key"]),
            }
        bp.put("Catalog_Номенклатура", told)


def _parties(bp: Bp) -> None:
    folders = {name: derived_guid(f"folder {name}") for name in ("Покупатели", "Поставщики")}
    for number, (name, key) in enumerate(folders.items(), 1):
        bp.put(PARTIES, Ref_Key=key, Description=name, Code=f"БП-{number:06d}", IsFolder=True)
    names = (
        *("НаименованиеПолное", "ИНН", "КПП", "КодПоОКПО", "РегистрационныйНомер", "НалоговыйНомер"),
        *("СтранаРегистрации_Key", "ГоловнойКонтрагент_Key", "ОбособленноеПодразделение"),
        *("ЮридическоеФизическоеЛицо", "ДополнительнаяИнформация", "КонтактнаяИнформация"),
    )
    for number, party in enumerate(bp.source.tables[PARTIES], 3):
        buyer = bool(bp.partners[party["Партнер_Key"]].get("Клиент"))
        bp.put(
            PARTIES, pick(party, *HEAD, *names), Code=f"БП-{number:06d}",
            Parent_Key=folders["Покупатели" if buyer else "Поставщики"],
            ОсновноеКонтактноеЛицо_Key=bp.person_of.get(party["Партнер_Key"], EMPTY_REF),
        )  # fmt: skip


def _persons(bp: Bp) -> None:
    names = ("Комментарий", "ДатаРождения", "Фамилия", "Имя", "Отчество", "КонтактнаяИнформация")
    for number, person in enumerate(bp.source.tables["Catalog_КонтактныеЛицаПартнеров"], 1):
        bp.put(
            "Catalog_КонтактныеЛица", pick(person, *HEAD, *names, Должность="ДолжностьПоВизитке"),
            typed("ОбъектВладелец", bp.party_of[person["Owner_Key"]], PARTIES), Code=f"БП-{number:06d}",
            ВидКонтактногоЛица="КонтактноеЛицоКонтрагента",
        )  # fmt: skip


def _contracts(bp: Bp) -> None:
    names: dict[str, Any] = {"Owner_Key": "Контрагент_Key", "СрокДействия": "ДатаОкончанияДействия"}
    for number, contract in enumerate(bp.source.tables[CONTRACTS], 1):
        told: Record = pick(contract, *HEAD, "Номер", "Дата", "Организация_Key", "ВалютаВзаиморасчетов_Key", **names)
        bp.put(CONTRACTS, told, Code=f"БП-{number:06d}", ВидДоговора="СПокупателем")


def _prices(bp: Bp) -> None:
    """The documents that set prices are not published here either."""
    for document in bp.source.hidden:
        if PRICES in document["~movements"]:
            rows = bp.told(document["~movements"][PRICES], _price_rows)
            bp.target.hidden.append(document | {"~movements": {PRICES: rows}})


def _price_rows(rows: Rows) -> Rows:
    return [
        pick(r, "Period", "Active", "Номенклатура_Key", "Цена", "Валюта_Key", ТипЦен_Key="ВидЦены_Key") for r in rows
    ]

"""The business as УНФ writes it down: catalogues and prices. Documents are in ``unf_documents``."""

from __future__ import annotations

from functools import partial

from stand.onec.generate.identifiers import inn_is_right
from stand.onec.generate.retelling import CONTRACTS, HEAD, PARTIES, Business, pick, typed
from stand.onec.generate.unf_documents import tell_documents
from stand.onec.model import EMPTY_DATE, EMPTY_REF
from stand.onec.world import Record, Rows, World, derived_guid, rows_of

_KINDS = {
    "ЮрЛицо": "ЮридическоеЛицо",
    "ЮрЛицоНеРезидент": "ЮридическоеЛицо",
    "ИндивидуальныйПредприниматель": "ИндивидуальныйПредприниматель",
    "ФизЛицо": "ФизическоеЛицо",
}
_RATES = {"НДС20": "Общая", "НДС22": "Общая", "НДС10": "Пониженная", "НДС0": "Нулевая", "БезНДС": "БезНДС"}
STATES = {"НеСогласован": "Новый", "КОбеспечению": "В работе", "КОтгрузке": "Готов к отгрузке", "Закрыт": "Завершен"}


class Unf(Business):
    """A business told by УНФ. ``department``: the one that sells; ``states``: УТ's status → state of an order."""

    def __init__(self, source: World, target: World) -> None:
        super().__init__(source, target)
        self.department = derived_guid("department")
        self.states = {status: derived_guid(f"state {shown}") for status, shown in STATES.items()}
        packs = source.tables["Catalog_УпаковкиЕдиницыИзмерения"]
        self.packs = {r["Ref_Key"] for r in packs if r["Owner_Type"].endswith("Catalog_Номенклатура")}

    def employee(self, user: str) -> str:
        """The employee behind a user."""
        return derived_guid(f"employee {user}") if user != EMPTY_REF else EMPTY_REF

    def unit(self, row: Record) -> Record:
        """The unit of a line: the product's pack, or its unit by the classifier."""
        pack = row.get("Упаковка_Key", EMPTY_REF)
        if pack in self.packs:
            return typed("ЕдиницаИзмерения", pack, "Catalog_ЕдиницыИзмерения")
        unit = self.unit_of.get(row["Номенклатура_Key"], EMPTY_REF)
        return typed("ЕдиницаИзмерения", unit, "Catalog_КлассификаторЕдиницИзмерения")

    def main_contract(self, key: str, party: str, org: str, currency: str) -> None:
        """«Основной договор»."""
        number = len(self.target.tables[CONTRACTS]) + 1
        self.put(
            CONTRACTS, typed("Owner", party, PARTIES), Ref_Key=key, Code=f"НФ-{number:06d}",
            Description="Основной договор", ВидДоговора="СПокупателем", ВалютаРасчетов_Key=currency,
            Организация_Key=org,
        )  # fmt: skip


def retell(source: World, target: World) -> None:
    """Fill ``target`` with the business of ``source``."""
    unf = Unf(source, target)
    _small(unf)
    _goods(unf)
    _parties(unf)
    _persons(unf)
    _contracts(unf)
    _prices(unf)
    tell_documents(unf)


def contacts(rows: Rows, *, reversing: bool = False) -> Rows:
    """Contact information without УТ's field of the list; ``reversing``: with the reversed number that clients have."""
    found = []
    for row in rows:
        told = {name: value for name, value in row.items() if name not in ("LineNumber", "ВидДляСписка_Key")}
        if reversing and told["Тип"] == "Телефон":
            told["ОбратныйНомерТелефона"] = str(told.get("НомерТелефона", ""))[::-1]
        found.append(told)
    return found


def _small(unf: Unf) -> None:
    unf.copy("Catalog_Валюты", "Code", "НаименованиеПолное", "ЗагружаетсяИзИнтернета")
    for row in unf.source.tables["InformationRegister_КурсыВалют"]:
        unf.target.put("InformationRegister_КурсыВалют", dict(row))
    users = ("ИдентификаторПользователяИБ", "Недействителен", "Подготовлен", "Служебный", "Predefined")
    unf.copy("Catalog_Пользователи", *users, "PredefinedDataName")
    for number, user in enumerate(unf.source.tables["Catalog_Пользователи"], 1):
        if not user.get("Служебный"):
            told = pick(user, "Description", "Недействителен")
            unf.put("Catalog_Сотрудники", told, Ref_Key=unf.employee(user["Ref_Key"]), Code=f"НФНФ-{number:06d}")
    for rate in unf.source.tables["Catalog_СтавкиНДС"]:
        kind = _RATES.get(rate["ПеречислениеСтавкаНДС"], "Специальная")
        unf.put("Catalog_СтавкиНДС", pick(rate, *HEAD, "Ставка"), ВидСтавкиНДС=kind, НеОблагается=kind == "БезНДС")
    names = ("Code", "НаименованиеСокращенное", "НаименованиеПолное", "Префикс", "ИНН", "КПП", "ОГРН")
    main = {"Predefined": True, "PredefinedDataName": "ОсновнаяОрганизация"}
    for number, org in enumerate(unf.source.tables["Catalog_Организации"]):
        told = pick(org, *HEAD, *names, "ЮридическоеФизическоеЛицо") | ({} if number else main)
        unf.put("Catalog_Организации", told, КонтактнаяИнформация=unf.told(org["КонтактнаяИнформация"], contacts))
    kinds = {"ОптовыйСклад": "Склад", "РозничныйМагазин": "Розница"}
    main = {"Predefined": True, "PredefinedDataName": "ОсновнойСклад"}
    for number, place in enumerate(unf.source.tables["Catalog_Склады"], 1):
        if not place.get("IsFolder"):
            rows = unf.told(place["КонтактнаяИнформация"], contacts)
            told = pick(place, *HEAD) | (main if place["Description"] == "Основной склад" else {})
            unf.put(
                "Catalog_СтруктурныеЕдиницы", told, Code=f"НФ-{number:06d}",
                ТипСтруктурнойЕдиницы=kinds[place["ТипСклада"]], КонтактнаяИнформация=rows,
            )  # fmt: skip
    unf.put(
        "Catalog_СтруктурныеЕдиницы", Ref_Key=unf.department, Description="Основное подразделение", Code="НФ-000099",
        ТипСтруктурнойЕдиницы="Подразделение", Predefined=True, PredefinedDataName="ОсновноеПодразделение",
    )  # fmt: skip
    for number, kind_ in enumerate(unf.source.tables["Catalog_ВидыЦен"], 1):
        told = pick(kind_, *HEAD, "ВалютаЦены_Key", "ЦенаВключаетНДС", ИдентификаторВидаЦен="Идентификатор")
        unf.put("Catalog_ВидыЦен", told, Code=f"НФ-{number:06d}", ТипВидаЦен="Статический", ЦеныАктуальны=True)
    stages = ("Открыт", "ВРаботе", "ВРаботе", "Выполнен")
    for number, (status, shown) in enumerate(STATES.items(), 1):
        unf.put(
            "Catalog_СостоянияЗаказовПокупателей", Ref_Key=unf.states[status], Description=shown,
            СтатусЗаказа=stages[number - 1], РеквизитДопУпорядочивания=str(number),
        )  # fmt: skip


def _goods(unf: Unf) -> None:
    for unit in unf.source.tables["Catalog_УпаковкиЕдиницыИзмерения"]:
        if unit["Ref_Key"] in unf.packs:
            unf.put(
                "Catalog_ЕдиницыИзмерения", pick(unit, *HEAD, "Owner", "Owner_Type", Коэффициент="Числитель"),
                ЕдиницаИзмеренияПоКлассификатору_Key=unit["ЕдиницаИзмерения_Key"],
            )  # fmt: skip
        else:
            names = ("Code", "НаименованиеПолное", "МеждународноеСокращение")
            unf.put("Catalog_КлассификаторЕдиницИзмерения", pick(unit, *HEAD, *names))
    fields = ("Code", "Parent_Key", "IsFolder", "Артикул", "НаименованиеПолное", "СтавкаНДС_Key")
    variants = {r["Owner"] for r in unf.source.tables["Catalog_ХарактеристикиНоменклатуры"]}
    for number, item in enumerate(unf.source.tables["Catalog_Номенклатура"]):
        told = pick(item, *HEAD, *fields, "ЕдиницаИзмерения_Key", "Описание", Вес="ВесЧислитель")
        if not item.get("IsFolder"):
            kind = unf.rates[item["СтавкаНДС_Key"]][0]
            told |= {
                "ТипНоменклатуры": "Услуга" if item["Ref_Key"] in unf.services else "Запас",
                "ВидСтавкиНДС": _RATES.get(kind, "Специальная"),
                "ДатаИзменения": f"202{5 + number % 2}-{1 + number % 10:02d}-{1 + number % 28:02d}T12:00:00",
                "ИспользоватьХарактеристики": item["Ref_Key"] in variants,
                "КоличествоПериодовДействия": 1,
            }
        unf.put("Catalog_Номенклатура", told)
    unf.copy("Catalog_ХарактеристикиНоменклатуры", "Owner", "Owner_Type", НаименованиеДляПечати="НаименованиеПолное")


def _parties(unf: Unf) -> None:
    folders = {name: derived_guid(f"folder {name}") for name in ("Покупатели", "Поставщики")}
    for number, (name, key) in enumerate(folders.items(), 1):
        unf.put(PARTIES, Ref_Key=key, Description=name, Code=f"НФНФ-{number:06d}", IsFolder=True)
    names = (
        *("НаименованиеПолное", "ИНН", "КПП", "КодПоОКПО", "РегистрационныйНомер", "НалоговыйНомер"),
        *("СтранаРегистрации_Key", "ГоловнойКонтрагент_Key", "ОбособленноеПодразделение"),
    )
    for number, party in enumerate(unf.source.tables[PARTIES], 3):
        partner = unf.partners[party["Партнер_Key"]]
        rows = rows_of(party["КонтактнаяИнформация"])
        found = {kind: next((r for r in rows if r["Тип"] == kind), {}) for kind in ("Телефон", "АдресЭлектроннойПочты")}
        buyer = bool(partner.get("Клиент"))
        unf.put(
            PARTIES, pick(party, *HEAD, *names, Комментарий="ДополнительнаяИнформация"), Code=f"НФНФ-{number:06d}",
            Parent_Key=folders["Покупатели" if buyer else "Поставщики"], ВидКонтрагента=_KINDS[party["ЮрФизЛицо"]],
            Покупатель=buyer, Поставщик=bool(partner.get("Поставщик")),
            Ответственный_Key=unf.employee(partner["ОсновнойМенеджер_Key"]),
            КонтактноеЛицо_Key=unf.person_of.get(party["Партнер_Key"], EMPTY_REF),
            ДатаСоздания=partner.get("ДатаРегистрации", EMPTY_DATE),
            ИННВведенКорректно=inn_is_right(party.get("ИНН", "")),
            АдресЭПДляПоиска=found["АдресЭлектроннойПочты"].get("АдресЭП", "")[:100],
            НомерТелефонаДляПоиска=found["Телефон"].get("НомерТелефона", ""),
            КонтактнаяИнформация=unf.told(party["КонтактнаяИнформация"], partial(contacts, reversing=True)),
        )  # fmt: skip
    unf.put(
        PARTIES, Ref_Key=derived_guid("retail"), Description="Розничный покупатель", Code="НФНФ-999999",
        ВидКонтрагента="ФизическоеЛицо", Покупатель=True, Predefined=True, PredefinedDataName="РозничныйПокупатель",
    )  # fmt: skip


def _persons(unf: Unf) -> None:
    names = ("Комментарий", "ДатаРождения", "Пол", "ДатаПрекращенияСвязи")
    for number, person in enumerate(unf.source.tables["Catalog_КонтактныеЛицаПартнеров"], 1):
        unf.put(
            "Catalog_КонтактныеЛица",
            pick(person, *HEAD, *names, Должность="ДолжностьПоВизитке", ДатаСоздания="ДатаРегистрацииСвязи"),
            typed("Owner", unf.party_of[person["Owner_Key"]], PARTIES), Code=f"НФНФ-{number:06d}",
            КонтактнаяИнформация=unf.told(person["КонтактнаяИнформация"], partial(contacts, reversing=True)),
        )  # fmt: skip


def _contracts(unf: Unf) -> None:
    renamed = {
        "НомерДоговора": "Номер", "ДатаДоговора": "Дата", "ВалютаРасчетов_Key": "ВалютаВзаиморасчетов_Key",
        "СрокДействия": "ДатаОкончанияДействия",
    }  # fmt: skip
    for number, contract in enumerate(unf.source.tables[CONTRACTS], 1):
        unf.put(
            CONTRACTS, pick(contract, *HEAD, "Организация_Key", "ДопустимаяСуммаЗадолженности", **renamed),
            typed("Owner", contract["Контрагент_Key"], PARTIES), Code=f"НФ-{number:06d}", ВидДоговора="СПокупателем",
            Недействителен=contract["Статус"] == "Закрыт", Ответственный_Key=unf.employee(contract["Менеджер_Key"]),
            СрокОплатыПокупателя=str(7 * (number % 4)),
        )  # fmt: skip


def _prices(unf: Unf) -> None:
    """УНФ's prices have no recorder: every price is a record of its own."""
    register = "InformationRegister_ЦеныНоменклатуры"
    for document in unf.source.hidden:
        for row in rows_of(document["~movements"].get(register)):
            told = pick(row, "Period", "Номенклатура_Key", "Цена", ВидЦен_Key="ВидЦены_Key")
            unf.target.put(register, told | {"Актуальность": True} | unf.unit(row))

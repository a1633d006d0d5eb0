"""Clients: partners, their legal entities, contact persons and contracts, with the flaws that real bases have."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from stand.onec.generate.catalogs import Base, moment, person_name
from stand.onec.generate.contacts import Contacts, address, contact_rows, email, mobile, phone
from stand.onec.generate.identifiers import broken, inn_of_organisation, inn_of_person, kpp, ogrn
from stand.onec.generate.words import CITIES, FIRSTS, NOUNS, PLACES, POSITIONS, SECONDS, TAILS
from stand.onec.model import EMPTY_REF

RUSSIA = "26093578-c180-11e4-a7a9-000d884fd00d"
_FORMS = (("ООО", "Общество с ограниченной ответственностью"), ("АО", "Акционерное общество"))


class Client(NamedTuple):
    """What documents need to know of a client. ``contract`` may be the empty reference."""

    partner: str
    party: str
    contract: str
    person: str
    manager: str
    price: int
    contacts: Contacts
    name: str


class _Name(NamedTuple):
    short: str
    full: str
    word: str
    kind: str


def make_parties(base: Base, count: int) -> list[Client]:
    """``count`` partners with their counterparties; returns those that documents are made for."""
    _predefined(base)
    clients: list[Client] = []
    seen: set[str] = set()
    for number in range(count):
        clients.append(_client(base, number, clients, seen))
    return clients


def _predefined(base: Base) -> None:
    for name, code in (("Неизвестный партнер", "НеизвестныйПартнер"), ("Розничный покупатель", "РозничныйПокупатель")):
        base.put(
            "Catalog_Партнеры", Description=name, НаименованиеПолное=name, Predefined=True, PredefinedDataName=code,
            ЮрФизЛицо="Компания",
        )  # fmt: skip


def _company_word(base: Base, seen: set[str]) -> str:
    luck = base.luck
    while True:
        if luck.chance(0.4):
            word = luck.pick(NOUNS) + luck.pick(TAILS)
        else:
            word = luck.pick(PLACES) + luck.pick(FIRSTS) + luck.pick(SECONDS) + luck.pick(TAILS)
        if word not in seen or luck.chance(0.1):
            seen.add(word)
            return word


def _name(base: Base, seen: set[str]) -> _Name:
    luck, roll = base.luck, base.luck.real()
    if roll < 0.20:
        surname, name, patronymic, _ = person_name(luck)
        full = f"Индивидуальный предприниматель {surname} {name} {patronymic}"
        initials = f"{surname} {name[0]}.{patronymic[0]}."
        short = luck.pick((f"ИП {surname} {name} {patronymic}", f"{initials} ИП", f"ИП {initials}"))
        return _Name(short, full, surname, "ИндивидуальныйПредприниматель")
    if roll < 0.26:
        surname, name, patronymic, _ = person_name(luck)
        return _Name(f"{surname} {name} {patronymic}", f"{surname} {name} {patronymic}", surname, "ФизЛицо")
    word = _company_word(base, seen)
    if roll < 0.275:
        return _Name(f"ТОО {word}", f'ТОО "{word}"', word, "ЮрЛицоНеРезидент")
    form, long = _FORMS[0] if luck.chance(0.9) else _FORMS[1]
    short = luck.pick((f"{word} {form}", f'{form} "{word}"', word, f"{form} {word}"))
    full = f'{form} "{word}"' if luck.chance(0.6) else f'{long} "{word}"'
    return _Name(short, full, word, "ЮрЛицо")


def _twin_name(base: Base, twin: Client) -> _Name:
    """The name of a client that was entered before, spelt another way by somebody who did not look it up."""
    known = base.world.tables["Catalog_Контрагенты"].rows[twin.party]
    word = " ".join(part for part in twin.name.replace('"', " ").split() if part not in ("ООО", "АО", "ИП", "ТОО"))
    legal = known["ЮрФизЛицо"] == "ЮрЛицо"
    spellings = [word.upper(), word.replace("ё", "е"), f"{word}  ", f"{word} (дубль)"]
    if legal:
        spellings += [f"ООО «{word}»", f"{word}, ООО", f"ООО {word.upper()}"]
    return _Name(base.luck.pick(spellings), known["НаименованиеПолное"], word, known["ЮрФизЛицо"])


def _numbers(base: Base, kind: str, city: int) -> dict[str, Any]:
    """Tax numbers by kind of person, with the share of blanks and typing errors seen in real bases."""
    luck, region = base.luck, CITIES[city].tax
    if kind == "ФизЛицо":
        return {}
    if kind == "ЮрЛицоНеРезидент":
        return {"НалоговыйНомер": luck.digits(12)}
    if luck.chance(0.03):
        return {}
    person = kind == "ИндивидуальныйПредприниматель"
    inn = inn_of_person(luck, region) if person else inn_of_organisation(luck, region)
    found: dict[str, Any] = {"ИНН": inn}
    if not person:
        found["КПП"] = kpp(inn)
    if luck.chance(0.6):
        found["РегистрационныйНомер"] = ogrn(luck, region, person)
        found["КодПоОКПО"] = luck.digits(10 if person else 8)
    flaw = luck.real()
    if flaw < 0.03:
        found["ИНН"] = broken(inn)
    elif flaw < 0.045:
        found["ИНН"] = f"{inn} "[:12] if len(inn) == 10 else inn
    elif flaw < 0.05:
        found["ИНН"] = inn[:9]
    return found


def _contacts(base: Base, name: _Name, city: int) -> Contacts:
    luck = base.luck
    phones = [phone(luck, CITIES[city])] if luck.chance(0.8) else []
    if luck.chance(0.35):
        phones.append(mobile(luck))
    emails = (email(luck, name.word),) if luck.chance(0.7) else ()
    site = f"www.{emails[0].rpartition('@')[2].strip()}" if emails and luck.chance(0.15) else ""
    return Contacts(address(luck, city) if luck.chance(0.85) else None, luck.chance(0.5), (*phones,), emails, site)


def _client(base: Base, number: int, others: list[Client], seen: set[str]) -> Client:
    luck = base.luck
    twin = luck.pick(others) if others and luck.chance(0.02) else None
    name = _twin_name(base, twin) if twin else _name(base, seen)
    city, marked = luck.whole(0, len(CITIES) - 1), luck.chance(0.02)
    contacts = _contacts(base, name, city)
    if twin and luck.chance(0.5):
        contacts = contacts._replace(phones=twin.contacts.phones)
    manager, person = luck.pick(base.managers), name.kind == "ФизЛицо"
    partner = base.put(
        "Catalog_Партнеры",
        Description=name.word if luck.chance(0.3) and not person else name.short,
        Code=f"00-{number + 1:08d}",
        НаименованиеПолное=name.full,
        ЮрФизЛицо="ЧастноеЛицо" if person else "Компания",
        Клиент=luck.chance(0.95),
        Поставщик=luck.chance(0.08),
        ОсновнойМенеджер_Key=manager,
        ДатаРегистрации=moment(base.start + timedelta(days=luck.whole(-1500, 300)), 0),
        DeletionMark=marked,
        КонтактнаяИнформация=partial(contact_rows, contacts, "Партнеры"),
    )
    numbers = _numbers(base, name.kind, city)
    if twin:
        known = base.world.tables["Catalog_Контрагенты"].rows[twin.party]
        numbers = {key: known[key] for key in ("ИНН", "КПП", "НалоговыйНомер") if key in known}
    same = luck.chance(0.1)
    party = _party(base, name, partner, numbers, contacts, marked, Ref_Key=partner if same else None)
    _relatives(base, name, partner, party, numbers, contacts)
    contract = _contract(base, partner, party, manager) if luck.chance(0.6) else EMPTY_REF
    who = _persons(base, partner, city, luck.whole(0, 3) if luck.chance(0.75) else 0)
    return Client(partner, party, contract, who, manager, luck.whole(0, 2), contacts, name.short)


def _party(
    base: Base, name: _Name, partner: str, numbers: dict[str, Any], contacts: Contacts, marked: bool, **more: Any
) -> str:
    key = more.pop("Ref_Key", None) or base.luck.guid()
    legal = "ЮридическоеЛицо" if name.kind.startswith("ЮрЛицо") else "ФизическоеЛицо"
    return base.put(
        "Catalog_Контрагенты",
        **{"ГоловнойКонтрагент_Key": key} | more,
        Ref_Key=key,
        Description=name.short,
        НаименованиеПолное=name.full,
        ЮридическоеФизическоеЛицо=legal,
        ЮрФизЛицо=name.kind,
        СтранаРегистрации_Key=RUSSIA if name.kind != "ЮрЛицоНеРезидент" else EMPTY_REF,
        Партнер_Key=partner,
        DeletionMark=marked,
        ДополнительнаяИнформация="Работает только по предоплате" if base.luck.chance(0.03) else "",
        КонтактнаяИнформация=partial(contact_rows, contacts, "Контрагенты"),
        **numbers,
    )


def _relatives(base: Base, name: _Name, partner: str, party: str, numbers: dict[str, Any], contacts: Contacts) -> None:
    """A branch with the head's ИНН and its own КПП, or a second legal entity of the same partner."""
    if name.kind != "ЮрЛицо":
        return
    roll = base.luck.real()
    if roll < 0.03 and "ИНН" in numbers:
        branch = numbers | {"КПП": kpp(numbers["ИНН"], base.luck.whole(1, 9), "43")}
        short = f"{name.short} (филиал)"
        more = {"ГоловнойКонтрагент_Key": party, "ОбособленноеПодразделение": True}
        _party(base, name._replace(short=short), partner, branch, contacts, False, **more)
    elif roll < 0.06:
        city = base.luck.whole(0, len(CITIES) - 1)
        second = _Name(f"{name.word} Трейд ООО", f'ООО "{name.word} Трейд"', name.word, "ЮрЛицо")
        _party(base, second, partner, _numbers(base, "ЮрЛицо", city), contacts, False)


def _contract(base: Base, partner: str, party: str, manager: str) -> str:
    luck = base.luck
    day = base.start + timedelta(days=luck.whole(-900, 400))
    number = f"{luck.whole(1, 400)}/{day.year % 100}"
    limited = luck.chance(0.3)
    return base.put(
        "Catalog_ДоговорыКонтрагентов",
        Description=f"Договор поставки № {number} от {day:%d.%m.%Y}",
        НаименованиеДляПечати=f"Договор поставки № {number}",
        Номер=number,
        Дата=moment(day, 0),
        ДатаНачалаДействия=moment(day, 0),
        **{"ДатаОкончанияДействия": moment(day + timedelta(days=1095), 0)} if luck.chance(0.5) else {},
        Контрагент_Key=party,
        Партнер_Key=partner,
        Организация_Key=base.refs["org:ТД"],
        ВалютаВзаиморасчетов_Key=base.refs["RUB"],
        Менеджер_Key=manager,
        ОграничиватьСуммуЗадолженности=limited,
        ДопустимаяСуммаЗадолженности=luck.whole(1, 40) * 50000 if limited else 0,
        ПорядокРасчетов="ПоДоговорамКонтрагентов",
        Согласован=True,
        Статус="Действует" if luck.chance(0.9) else "Закрыт",
        ТипДоговора="СПокупателем",
        ХозяйственнаяОперация="РеализацияКлиенту",
    )


def _persons(base: Base, partner: str, city: int, count: int) -> str:
    """Contact persons of a partner; returns the first one, or the empty reference."""
    first, luck = EMPTY_REF, base.luck
    for _ in range(count):
        surname, name, patronymic, woman = person_name(luck)
        phones = (mobile(luck),) if luck.chance(0.8) else (phone(luck, CITIES[city]),)
        seed = Contacts(None, False, phones, (email(luck, surname),) if luck.chance(0.6) else (), "")
        known = luck.chance(0.2)
        born = {"ДатаРождения": moment(base.start - timedelta(days=luck.whole(9000, 20000)), 0)} if known else {}
        key = base.put(
            "Catalog_КонтактныеЛицаПартнеров",
            Description=f"{surname} {name} {patronymic}" if luck.chance(0.7) else f"{name} {surname}",
            Owner_Key=partner,
            Фамилия=surname,
            Имя=name,
            Отчество=patronymic,
            Пол="Женский" if woman else "Мужской",
            ДолжностьПоВизитке=luck.pick(POSITIONS),
            ДатаРегистрацииСвязи=moment(base.start, 0),
            DeletionMark=luck.chance(0.02),
            КонтактнаяИнформация=partial(contact_rows, seed, "КонтактныеЛицаПартнеров"),
            **born,
        )
        first = key if first == EMPTY_REF else first
    return first

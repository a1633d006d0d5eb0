"""Words, numbers and spellings that ``bench.clients`` makes its clients of."""

from __future__ import annotations

import random
from typing import NamedTuple

from hub.model.identity import INN10, INN11, INN12


class City(NamedTuple):
    """``region``: code of the subject, the first digits of its ИНН; ``area``: telephone code."""

    name: str
    region: str
    area: str
    weight: int


class Place(NamedTuple):
    """Where in the city."""

    street: str
    house: str
    unit: str


CITIES = [
    City(*row)
    for row in (
        ("Москва", "77", "495", 30), ("Санкт-Петербург", "78", "812", 15), ("Новосибирск", "54", "383", 6),
        ("Екатеринбург", "66", "343", 6), ("Казань", "16", "843", 5), ("Нижний Новгород", "52", "831", 5),
        ("Челябинск", "74", "351", 4), ("Самара", "63", "846", 4), ("Омск", "55", "381", 3), ("Ростов-на-Дону", "61", "863", 4),
        ("Уфа", "02", "347", 4), ("Красноярск", "24", "391", 3), ("Воронеж", "36", "473", 3), ("Пермь", "59", "342", 3),
        ("Волгоград", "34", "844", 3), ("Краснодар", "23", "861", 4), ("Саратов", "64", "845", 2), ("Тюмень", "72", "345", 3),
        ("Ижевск", "18", "341", 2), ("Барнаул", "22", "385", 2), ("Иркутск", "38", "395", 2), ("Хабаровск", "27", "421", 2),
        ("Ярославль", "76", "485", 2), ("Владивосток", "25", "423", 2), ("Махачкала", "05", "872", 1), ("Томск", "70", "382", 2),
        ("Оренбург", "56", "353", 1), ("Кемерово", "42", "384", 2), ("Рязань", "62", "491", 1), ("Орёл", "57", "486", 1),
        ("Тула", "71", "487", 1), ("Киров", "43", "833", 1), ("Королёв", "50", "495", 1), ("Улан-Удэ", "03", "301", 1),
    )
]  # fmt: skip
_CITY_WEIGHTS = [city.weight for city in CITIES]
_STREETS = """Ленина Советская Мира Гагарина Пушкина Лесная Садовая Кирова Победы Октябрьская Молодёжная Центральная Строителей
Заводская Набережная Школьная Горького Чехова Лермонтова Фрунзе Куйбышева Дзержинского Пролетарская Тверская Первомайская Космонавтов
Зелёная Новая Полевая Комсомольская Железнодорожная Суворова Кутузова Некрасова Маяковского""".split()
SURNAMES = """Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев Лебедев Семёнов
Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев Соловьёв Борисов Яковлев Григорьев Романов
Воробьёв Сергеев Кузьмин Фролов Александров Дмитриев Королёв Гусев Киселёв Ильин Максимов Поляков Сорокин Виноградов Ковалёв Белов
Медведев Антонов Тарасов Жуков Баранов Филиппов Комаров Давыдов Беляев Герасимов Богданов Осипов Сидоров Матвеев Титов Марков
Миронов Крылов Куликов Карпов Власов Мельников Денисов Гаврилов Тихонов Казаков Афанасьев Данилов Савельев Тимофеев Фомин Чернов
Абрамов Мартынов Ефимов Федотов Щербаков Назаров Калинин Исаев Чернышёв Быков Маслов Родионов Коновалов Лазарев Воронин Климов
Филатов Пономарёв Голубев Кудрявцев Прохоров Наумов Потапов Журавлёв Овчинников Трофимов Леонов Соболев Ермаков Колесников Гончаров
Емельянов Никифоров Грачёв Котов Гришин Ефремов Архипов Громов Кириллов Малышев Панов Моисеев Румянцев Акимов Кондратьев Бирюков
Горбунов Анисимов Ерёмин Тихомиров Галкин Лукьянов Михеев Скворцов Юдин Белоусов Нестеров Симонов Прокофьев Харитонов Князев Цветков
Левин Митрофанов Воронов Аксёнов Софронов Мальцев Логинов Горшков Савин Краснов Майоров Демидов Елисеев Рыбаков Сафонов Плотников
Дёмин Хохлов Фадеев Молчанов Игнатов Литвинов Ершов Ушаков Дементьев Рябов Мухин Калашников Леонтьев Лобанов Кузин Корнеев Евдокимов
Бородин Платонов Некрасов Балашов Бобров Жданов Блинов Игнатьев Коротков Муравьёв Крюков Беляков Богомолов Дроздов Лавров Зуев
Петухов Ларин Никулин Серов Терентьев Зотов Устинов Фокин Самойлов Константинов Сахаров Шишкин Самсонов Черкасов Чистяков Носов
Спиридонов Карасёв Авдеев Воронцов Зверев Владимиров Селезнёв Нечаев Кудряшов Седов Фирсов Андрианов Панфилов Головин Терехов
Ульянов Шестаков Агеев Никонов Селиванов Баженов Гордеев Кожевников Пахомов Зимин Костин Широков Филимонов Ларионов Овсянников
Сазонов Суворов Нефёдов Корнилов Любимов Львов Горбачёв Копылов Лукин Токарев Кулешов Шилов Большаков Панкратов Родин Шаповалов
Покровский Бочаров Никольский Маркин Горелов Агафонов Березин Ермолаев Зубков Куприянов Трифонов Масленников Круглов Третьяков
Колосов Рожков Артамонов Шмелёв Лаптев Лапшин Федосеев Зиновьев Зорин Уткин Столяров Зубов Ткачёв Дорофеев Антипов Завьялов
Свиридов Золотарёв Кулаков Мещеряков Макеев Дьяконов Гуляев Петровский Бондарев Поздняков Панин Кочетков Суханов Рыжов Старостин
Калмыков Колесов Золотов Кравцов Субботин Шубин Щукин Лосев Винокуров Лапин Парфёнов Исаков Голованов Коровин Ростов Артёмов Козырев
Русаков Алёшин Крючков Булгаков Кошелев Сычёв Синицын Чёрный Рогов Кононов Лаврентьев Евсеев Пименов Пантелеев Горячев Аникин Лопатин
Рудаков Одинцов Серебряков Панков Дегтярёв Бурлаков Царёв Шувалов Кондрашов Горюнов Дубровин Голиков Курочкин Латышев Севастьянов
Вавилов Ерофеев Сальников Клюев Носков Озеров Кольцов Комиссаров Меркулов Киреев Хомяков Булатов Ананьев Буров Шапошников Дружинин
Островский Шевелев Долгов Суслов Шевцов Пастухов Рубцов Бычков Глебов Ильинский Успенский Дьяков Кочетов Вишневский Высоцкий Глухов
Дубов Бессонов Ситников Астафьев Мешков Шаров Яшин Козловский Туманов Басов Корчагин Болдырев Олейников Чумаков Фомичёв Губанов
Дубинин Шульгин Касаткин Пирогов Сёмин Трошин Горохов Стариков Щеглов Фетисов Колпаков Чесноков Зыков Верещагин Минаев Руднев Троицкий
Окулов Ширяев Малинин Черепанов Измайлов Алёхин Зеленин Касьянов Пугачёв Павловский Чижов Кондратов Воронков Капустин Сотников""".split()
MALE = (
    """Александр Сергей Дмитрий Андрей Алексей Иван Владимир Николай Михаил Павел Евгений Виктор Игорь Юрий Олег Константин Максим
    Роман Антон Денис Артём Илья Кирилл Никита Вячеслав Станислав Виталий Анатолий Валерий Василий Григорий Пётр Борис Леонид Геннадий
    Вадим Руслан Егор Тимур Семён Фёдор Матвей Георгий Ярослав""".split(),
    [90, 75, 65, 60, 60, 45, 50, 35, 35, 30, 35, 25, 25, 25, 20, 20, 35, 30, 25, 25, 20, 20, 20, 20, 15, 12, 15, 15, 15, 12, 8, 10,
     8, 8, 8, 10, 10, 10, 6, 6, 6, 6, 6, 6],
)  # fmt: skip
FEMALE = (
    """Елена Ольга Наталья Татьяна Ирина Анна Светлана Мария Екатерина Юлия Анастасия Марина Людмила Галина Надежда Оксана Виктория
    Дарья Ксения Валентина Нина Лариса Любовь Евгения Алина Вера Кристина Полина Елизавета Александра Яна Софья Алёна Зоя Валерия
    Диана Тамара""".split(),
    [80, 75, 65, 65, 55, 60, 50, 50, 50, 40, 40, 35, 30, 30, 25, 20, 25, 25, 20, 18, 15, 18, 15, 18, 15, 12, 12, 12, 12, 15, 8, 8, 8,
     4, 8, 6, 6],
)  # fmt: skip
FIRMS = """Ромашка Восход Стандарт Альянс Прогресс Вектор Гарант Мастер Орион Партнёр Сфера Эталон Феникс Спектр Лидер Атлант
Престиж Авангард Континент Магнат Рассвет Меридиан Каскад Юпитер Квант Горизонт Импульс Формула Регион Вымпел Надежда Сатурн Маяк
Родник Звезда Монолит Профиль Оптима Фаворит Успех Глобус Аврора Олимп Титан Контакт Электрон Кедр Дельта Статус Ресурс""".split()
_HEADS = """Строй Авто Пром Агро Сиб Евро Мед Тех Энерго Инфо Торг Транс Метал Эко Спец Рос Юг Север Вест Гео Нефте Эл Снаб Лес Аква
Био Дон Урал Волга Мос Невa""".replace("a", "а").split()
_TAILS = """сервис трейд групп инвест монтаж комплект система лайн софт продукт центр альянс строй ресурс маш пром снаб торг проект
логистик мед газ нефть дом мир плюс""".split()
_SYLLABLES = "ба ва га да ди до ка ки ко ла ле ли ло ма ме ми мо на не ни но па пе пи по ра ре ри ро са се си со та те ти то фа фи".split()
FORMS = ("ООО", "АО", "ЗАО", "ПАО", "ОАО", "МУП", "АНО")
FORM_WEIGHTS = (82, 5, 5, 1, 4, 1, 2)
_FULL = {
    "ООО": "Общество с ограниченной ответственностью", "АО": "Акционерное общество", "ЗАО": "Закрытое акционерное общество",
    "ПАО": "Публичное акционерное общество", "ОАО": "Открытое акционерное общество",
    "МУП": "Муниципальное унитарное предприятие", "АНО": "Автономная некоммерческая организация",
}  # fmt: skip
ROLES = ("info", "office", "zakaz", "sales", "buh", "mail1")
_FREE = ("mail.ru", "yandex.ru", "ya.ru", "gmail.com", "bk.ru", "list.ru", "inbox.ru", "rambler.ru")
_TRANSLIT = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch . y . e yu ya".split(),
        strict=True,
    )
)
_LOOKALIKE = str.maketrans("асеоркхАСЕОРКХВМТН", "aceopkxACEOPKXBMTH")
_NOTES = (" (офис)", " НЕТ ДОГОВОРА", " (старый)", " !!!", " новый")
_SHORT = {
    "Александр": "Саша", "Алексей": "Лёша", "Дмитрий": "Дима", "Евгений": "Женя", "Владимир": "Вова", "Иван": "Ваня",
    "Елена": "Лена", "Татьяна": "Таня", "Наталья": "Наташа", "Екатерина": "Катя", "Мария": "Маша", "Светлана": "Света",
}  # fmt: skip


def latin(text: str) -> str:
    """``text`` in Latin letters."""
    out = []
    for letter in text:
        found = _TRANSLIT.get(letter.lower(), letter).strip(".")
        out.append(found.capitalize() if letter.isupper() else found)
    return "".join(out)


def surname(rng: random.Random) -> str:
    """A rare surname."""
    return ("".join(rng.choices(_SYLLABLES, k=rng.choice((2, 3)))) + rng.choice(("нов", "тов", "лин", "ев", "ров", "ский"))).capitalize()


def feminine(last: str) -> str:
    """A surname as a woman bears it."""
    if last.endswith(("ий", "ый")):
        return last[:-2] + "ая"
    return last + "а" if last.endswith(("в", "н")) else last


def masculine(last: str) -> str:
    """A woman's surname as her husband bears it."""
    return last[:-2] + "ий" if last.endswith("ая") else last[:-1] if last.endswith(("ва", "на")) else last


def patronymic(first: str, male: bool) -> str:
    """Of a father's first name."""
    special = {"Илья": "Иль", "Никита": "Никит", "Пётр": "Петров", "Павел": "Павлов", "Лев": "Львов"}
    if first == "Илья":
        return "Ильич" if male else "Ильинична"
    if first == "Никита":
        return "Никитич" if male else "Никитична"
    stem = special.get(first) or (first[:-1] + "ев" if first[-1] in "йь" else first + "ов")
    if first.endswith("ий") and first not in {"Дмитрий", "Георгий"}:
        stem = first[:-2] + "ьев"
    return stem + ("ич" if male else "на")


def firm(rng: random.Random) -> str:
    """A name of a firm that few bear."""
    draw = rng.random()
    made = "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 2, 3, 3, 4)))).capitalize()
    if draw < 0.25:
        return rng.choice(_HEADS) + rng.choice(_TAILS)
    if draw < 0.55:
        return made + rng.choice(_TAILS)
    if draw < 0.65:
        return f"{rng.choice(('ТД', 'ПКФ', 'НПО', 'ГК'))} {made}"
    return f"{made} {rng.choice(FIRMS)}" if draw < 0.78 else made + rng.choice(("", "н", "с", "р", "л"))


def city(rng: random.Random) -> City:
    """A city by its size."""
    return rng.choices(CITIES, _CITY_WEIGHTS)[0]


def place(rng: random.Random) -> Place:
    """A street, a house and perhaps a flat."""
    return Place(rng.choice(_STREETS), str(rng.randint(1, 150)), str(rng.randint(1, 400)) if rng.random() < 0.6 else "")


def address(rng: random.Random, town: str, at: Place, clean: bool) -> str:
    """An address as people type it."""
    if clean or rng.random() < 0.35:
        return f"{rng.randint(101000, 699999)}, г. {town}, ул. {at.street}, д. {at.house}" + (f", оф. {at.unit}" if at.unit else "")
    unit = at.unit if rng.random() < 0.85 else ""
    style = rng.randrange(4)
    if style == 0:
        return f"{town}, {at.street} {at.house}" + (f"-{unit}" if unit else "")
    if style == 1:
        return f"г.{town}, ул.{at.street}, дом {at.house}" + (f", офис {unit}" if unit else "")
    if style == 2:
        return f"ул. {at.street}, {at.house}" + (f", каб.{unit}" if unit else "")
    return f"{town}, ул {at.street}, {at.house}".upper() + (f" кв {unit}" if unit else "")


def _control(body: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11 % 10)


def inn10(rng: random.Random, region: str) -> str:
    """A firm's ИНН."""
    body = region + f"{rng.randint(0, 9999999):07}"
    return body + _control(body, INN10)


def inn12(rng: random.Random, region: str) -> str:
    """A person's ИНН."""
    body = region + f"{rng.randint(0, 99999999):08}"
    body += _control(body, INN11)
    return body + _control(body, INN12)


def ogrn(rng: random.Random, region: str) -> str:
    """A firm's ОГРН."""
    body = f"1{rng.randint(2, 24):02}{region}{rng.randint(0, 9999999):07}"
    return body + str(int(body) % 11 % 10)


def ogrnip(rng: random.Random, region: str) -> str:
    """A sole proprietor's ОГРНИП."""
    body = f"3{rng.randint(4, 24):02}{region}{rng.randint(0, 999999999):09}"
    return body + str(int(body) % 13 % 10)


def mobile(rng: random.Random) -> str:
    """Ten national digits of a mobile."""
    return f"9{rng.randint(0, 99):02}{rng.randint(0, 9999999):07}"


def landline(rng: random.Random, town: City) -> str:
    """Ten national digits of a landline of that city."""
    return town.area + f"{rng.randint(2000000, 9999999)}"


def spelled_phone(rng: random.Random, line: str) -> str:
    """Ten digits as people type them."""
    a, b, c, d = line[:3], line[3:6], line[6:8], line[8:]
    form = rng.choice(("+7{0}{1}{2}{3}", "8{0}{1}{2}{3}", "8 ({0}) {1}-{2}-{3}", "+7 {0} {1} {2} {3}", "({0}) {1}-{2}{3}", "+7({0}){1}{2}{3}"))
    return form.format(a, b, c, d) + (f" доб. {rng.randint(1, 999)}" if rng.random() < 0.07 else "")


def domain(rng: random.Random, name: str, region: str) -> str:
    """A firm's own domain."""
    stem = "".join(letter for letter in latin(name.lower()) if letter.isalnum())
    return stem + (f"-{region}" if rng.random() < 0.4 else "") + ".ru"


def free_box(rng: random.Random, name: str) -> str:
    """A mailbox with a provider."""
    stem = "".join(letter for letter in latin(name.lower()) if letter.isalnum())[:14]
    return f"{stem}{rng.randint(1, 99999)}@{rng.choice(_FREE)}"


def typo(rng: random.Random, text: str) -> str:
    """One slip of the fingers."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    letter = rng.choice("аеиоунтрслк")
    return text[:at] + letter + text[at + (kind == 2) :]


def mixed(rng: random.Random, text: str) -> str:
    """Some Cyrillic letters as the Latin ones that look the same."""
    return "".join(letter.translate(_LOOKALIKE) if rng.random() < 0.5 else letter for letter in text)


def spelled_firm(rng: random.Random, form: str, base: str, clean: bool) -> str:
    """A firm's name as people write it."""
    if clean:
        return f'{form} "{base}"'
    style = rng.randrange(9)
    if style == 0:
        return f"{_FULL[form]} «{base}»"
    plain = (
        f'{form} "{base}"', f"{form} «{base}»", f"{form} {base}", base, f"{base}, {form}", f"{base} ({form})", f'{form}"{base}"',
        f'{form} "{base}"'.upper(),
    )[style - 1]  # fmt: skip
    return plain + (rng.choice(_NOTES) if rng.random() < 0.04 else "")


def spelled_human(rng: random.Random, kind: str, last: str, first: str, middle: str, clean: bool) -> str:
    """A person's name as people write it."""
    before = "ИП " if kind == "ip" else ""
    if clean:
        return f"{before}{last} {first} {middle}"
    style = rng.randrange(12)
    if kind == "ip" and rng.random() < 0.15:
        before = rng.choice(("", "Индивидуальный предприниматель "))
    short = _SHORT.get(first, first) if rng.random() < 0.5 else first
    return before + (
        f"{last} {first} {middle}", f"{last} {first}", f"{first} {last}", f"{last} {first[0]}.{middle[0]}.", f"{first} {middle} {last}",
        f"{last} {first} {middle}".upper(), latin(f"{last} {first}"), f"{last} {short}", f"{short} {last}", f"{last} {first[0]}. {middle[0]}.",
        f"{last} {first} {middle}".replace("ё", "е"), f"{last} {first} {middle}",
    )[style]  # fmt: skip

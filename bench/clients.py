"""Russian clients with their truth, made from a seed: names, requisites, contacts and every trap that real bases hold.

``entity_id`` is the truth: a branch, a member of a family and a firm beside another on one switchboard are each their
own. Columns are those that ``dedup.normal.record.RAW`` names, with ``rec_id``, ``entity_id``, ``source`` and ``ts``
(days).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import polars as pl

from bench import clients_words as words

Row = dict[str, Any]
_SOURCES = ("1c", "crm", "crm", "mail", "phone")


def make(records: int, seed: int, junk: float = 0.0) -> pl.DataFrame:
    """About ``records`` records, shuffled; ``junk``: the share that carries one and the same phone and mailbox."""
    maker = _Maker(random.Random(seed), records)
    rows: list[Row] = []
    for row in maker.rows():
        rows.append(row)
        if len(rows) == records:
            break
    maker.random.shuffle(rows)
    for number, row in enumerate(rows):
        row["rec_id"] = number
        if maker.random.random() < junk:
            row["phone"], row["email"] = "8 (495) 660-18-70", "info@obmen-company.ru"
    return pl.DataFrame(rows, schema=_SCHEMA)


_SCHEMA = {
    "rec_id": pl.UInt32, "entity_id": pl.Int64,
    **dict.fromkeys(("kind", "name", "inn", "kpp", "ogrn", "phone", "email", "city", "address", "source"), pl.String),
    "ts": pl.Int64,
}  # fmt: skip


class _Maker:
    """Entities one after another, each as its records."""

    def __init__(self, rng: random.Random, records: int) -> None:
        self.random = rng
        self.entity = 0
        rare = max(400, records // 12)
        self.surnames = words.SURNAMES + [words.surname(rng) for _ in range(rare // 2)]
        self.weights = [1 / (n + 6) for n in range(len(self.surnames))]
        self.firms = words.FIRMS + [words.firm(rng) for _ in range(rare * 4)]
        self.firm_weights = [1 / (n + 40) for n in range(len(self.firms))]
        self.domains: set[str] = set()
        self.pool: Iterator[str] = iter(())
        self.firm_pool: Iterator[str] = iter(())

    def surname(self) -> str:
        found = next(self.pool, None)
        if found is None:
            self.pool = iter(self.random.choices(self.surnames, self.weights, k=4096))
            found = next(self.pool)
        return found

    def firm(self) -> str:
        found = next(self.firm_pool, None)
        if found is None:
            self.firm_pool = iter(self.random.choices(self.firms, self.firm_weights, k=4096))
            found = next(self.firm_pool)
        return found

    def free_domain(self, wanted: str) -> str:
        """A domain that nobody has yet."""
        while wanted in self.domains:
            wanted = wanted.removesuffix(".ru") + str(self.random.randint(1, 9)) + ".ru"
        self.domains.add(wanted)
        return wanted

    def rows(self) -> Iterator[Row]:
        while True:
            draw = self.random.random()
            if draw < 0.36:
                yield from self.copies(self.org())
            elif draw < 0.375:
                yield from self.branches()
            elif draw < 0.381:
                yield from self.house()
            elif draw < 0.62:
                yield from self.copies(self.human("ip"))
            elif draw < 0.66:
                yield from self.family()
            else:
                yield from self.copies(self.human("person"))

    # ------------------------------------------------------------------------------------------------- one entity each
    def new(self, kind: str, city: words.City) -> Row:
        self.entity += 1
        return {"entity_id": self.entity, "kind": kind, "city_": city, "place": words.place(self.random)}

    def org(self, city: words.City | None = None) -> Row:
        city = city or words.city(self.random)
        rng, entity = self.random, self.new("org", city)
        name = self.firm()
        if rng.random() < 0.06:
            name += f"-{rng.randint(2, 90)}"
        inn = words.inn10(rng, city.region)
        domain = self.free_domain(words.domain(rng, name, city.region)) if rng.random() < 0.5 else ""
        box = rng.choice(words.ROLES) + "@" + domain if domain else words.free_box(rng, name)
        return entity | {
            "form": rng.choices(words.FORMS, words.FORM_WEIGHTS)[0], "base": name, "inn": inn, "domain": domain,
            "kpp": inn[:4] + "01001", "ogrn": words.ogrn(rng, city.region), "box": box,
            "line": words.landline(rng, city) if rng.random() < 0.55 else words.mobile(rng),
        }  # fmt: skip

    def human(self, kind: str, city: words.City | None = None) -> Row:
        rng, entity = self.random, self.new(kind, city or words.city(self.random))
        male = rng.random() < 0.5
        first = rng.choices(*(words.MALE if male else words.FEMALE))[0]
        last = self.surname()
        middle = words.patronymic(rng.choices(*words.MALE)[0], male)
        return entity | {
            "last": last if male else words.feminine(last), "first": first, "middle": middle, "male": male,
            "inn": words.inn12(rng, entity["city_"].region) if rng.random() < (0.9 if kind == "ip" else 0.15) else "",
            "ogrn": words.ogrnip(rng, entity["city_"].region) if kind == "ip" else "",
            "box": words.free_box(rng, last + first[:1]), "line": words.mobile(rng),
        }  # fmt: skip

    # ------------------------------------------------------------------------------------------------ entities together
    def branches(self) -> Iterator[Row]:
        """A firm with its branches: one ИНН, often one mailbox or phone, another КПП, another city."""
        head, rng = self.org(), self.random
        yield from self.copies(head)
        for city in rng.sample(words.CITIES, rng.choice((1, 1, 2, 3))):
            if city == head["city_"]:
                continue
            self.entity += 1
            branch = head | {"entity_id": self.entity, "city_": city, "place": words.place(rng), "ogrn": ""}
            branch["kpp"] = city.region + f"{rng.randint(1, 99):02}" + rng.choice(("43", "43", "44", "45")) + "001"
            branch["mark"] = rng.choice((f" филиал {city.name}", f" (филиал) {city.name}", f" ОП {city.name}", "", ""))
            branch["line"] = head["line"] if rng.random() < 0.15 else words.landline(rng, city)
            if head["domain"] and rng.random() < 0.5:
                branch["box"] = f"filial{rng.randint(1, 99)}@{head['domain']}"
            yield from self.copies(branch)

    def house(self) -> Iterator[Row]:
        """A business centre or an accountant: firms on one switchboard, in one house, with one mailbox."""
        rng, city = self.random, words.city(self.random)
        line, place, box = words.landline(rng, city), words.place(rng), words.free_box(rng, "buh" + self.surname())
        one_line, one_box = rng.random() < 0.7, rng.random() < 0.25
        for _ in range(rng.randint(2, 9)):
            org = self.org(city) if rng.random() < 0.8 else self.human("ip", city)
            org["place"] = place._replace(unit=str(rng.randint(1, 60)))
            org |= ({"line": line} if one_line else {}) | ({"box": box} if one_box else {})
            yield from self.copies(org)

    def family(self) -> Iterator[Row]:
        """Husband, wife, children: one phone or one flat, one surname, sometimes one mailbox."""
        rng = self.random
        head = self.human("person")
        yield from self.copies(head)
        for _ in range(rng.choice((1, 1, 2))):
            other = self.human("person", head["city_"])
            other["place"] = head["place"]
            plain = (
                head["last"]
                if head["male"]
                else head["masculine"]
                if "masculine" in head
                else words.masculine(head["last"])
            )
            other["last"] = plain if other["male"] else words.feminine(plain)
            if rng.random() < 0.6:
                other["line"] = head["line"]
            if rng.random() < 0.15:
                other["box"] = head["box"]
            yield from self.copies(other)

    # --------------------------------------------------------------------------------------------------------- records
    def copies(self, entity: Row) -> Iterator[Row]:
        draw = self.random.random()
        many = 1 if draw < 0.925 else 2 if draw < 0.982 else 3 if draw < 0.995 else 4 if draw < 0.999 else 5
        for number in range(many):
            yield self.record(entity, clean=number == 0)

    def record(self, entity: Row, clean: bool) -> Row:
        rng = self.random
        source = "1c" if clean and rng.random() < (0.9 if "mark" in entity else 0.7) else rng.choice(_SOURCES)
        careful = source == "1c"
        org = entity["kind"] == "org"
        keep = rng.random
        return {
            "rec_id": 0, "entity_id": entity["entity_id"], "kind": entity["kind"],
            "name": self.org_name(entity, clean) if org else self.human_name(entity, clean),
            "inn": self.inn(entity, 0.92 if careful else 0.42, clean),
            "kpp": entity.get("kpp") if keep() < (0.88 if careful else 0.12) else None,
            "ogrn": (entity["ogrn"] or None) if careful and keep() < 0.5 else None,
            "phone": self.phone(entity) if keep() < 0.9 else None,
            "email": self.email(entity) if keep() < 0.75 else None,
            "city": entity["city_"].name if keep() < 0.86 else None,
            "address": words.address(rng, entity["city_"].name, entity["place"], clean)
            if keep() < (0.85 if careful else 0.5)
            else None,
            "source": source, "ts": rng.randint(0, 1000),
        }  # fmt: skip

    def inn(self, entity: Row, share: float, clean: bool) -> str | None:
        rng, value = self.random, entity["inn"]
        if not value or rng.random() > share:
            return None
        if not clean and rng.random() < 0.02:
            at = rng.randrange(len(value))
            return str(value[:at] + str(rng.randint(0, 9)) + value[at + 1 :])
        return str(value.lstrip("0")) if not clean and rng.random() < 0.5 else str(value)

    def phone(self, entity: Row) -> str:
        rng = self.random
        if rng.random() < 0.004:
            return rng.choice(("+7 999 999-99-99", "0000000000", "8 800 000 00 00", "нет"))
        line = entity["line"] if rng.random() < 0.95 else words.mobile(rng)
        return words.spelled_phone(rng, line)

    def email(self, entity: Row) -> str:
        rng = self.random
        if rng.random() < 0.004:
            return rng.choice(("no@mail.ru", "test@test.ru", "нет"))
        box = str(entity["box"])
        if (
            entity.get("domain")
            and box.endswith(entity["domain"])
            and rng.random() < 0.25
            and not box.startswith("filial")
        ):
            box = rng.choice(words.ROLES) + "@" + entity["domain"]
        elif rng.random() < 0.06:
            box = words.free_box(rng, entity.get("last") or entity["base"])
        return box.upper() if rng.random() < 0.02 else box

    def org_name(self, entity: Row, clean: bool) -> str:
        rng, base, form = self.random, entity["base"], entity["form"]
        if not clean and rng.random() < 0.015:
            base = self.firm()  # renamed
        if not clean and rng.random() < 0.06:
            base = words.typo(rng, base)
        name = words.spelled_firm(rng, form, base, clean)
        if not clean and rng.random() < 0.03:
            name = words.mixed(rng, name)
        elif not clean and rng.random() < 0.02:
            name = words.latin(name)
        return str(name + (entity.get("mark", "") if rng.random() < 0.9 else ""))

    def human_name(self, entity: Row, clean: bool) -> str:
        rng = self.random
        last, first, middle = entity["last"], entity["first"], entity["middle"]
        if not clean and not entity["male"] and rng.random() < 0.02:
            last = words.feminine(self.surname())  # married
        if not clean and rng.random() < 0.05:
            last = words.typo(rng, last)
        return words.spelled_human(rng, entity["kind"], last, first, middle, clean)

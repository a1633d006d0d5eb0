"""What is compared, level by level; what forbids a merge; what makes it doubtful. Bits are in ``dedup.weights``.

The first level that holds is the one; no level is nothing known, and counts nothing. All of it is said in the terms of
``dedup.terms``, so one pair and a million are judged by the same words.
"""

from __future__ import annotations

from typing import NamedTuple

from dedup.terms import (
    Test,
    begins,
    both,
    crossed,
    cut_off,
    flag,
    flags,
    flags_differ,
    initial,
    kinds,
    length_is,
    lengths_same,
    level_in,
    listed,
    long,
    near,
    neither,
    reason,
    same,
    shared,
    word_of,
)


class Level(NamedTuple):
    """One degree of agreement. ``bits``: the column whose rarity counts, of ``l`` and ``r`` or of ``p``; empty: a
    constant.
    """

    name: str
    test: Test
    bits: str = ""


class Fact(NamedTuple):
    """One thing that is compared."""

    name: str
    levels: tuple[Level, ...]


_FIRM = neither("last") & neither("first")


def _slip(column: str, one: int, two: int) -> Test:
    """A letter off in words of ``one`` letters and more, two in words of ``two`` and more."""
    return (long(column, one) & near(column, 1)) | (long(column, two) & near(column, 2))


FACTS = (
    Fact(
        "inn",
        (
            Level("same", same("inn")),
            Level("slip", (both("inn_any") & near("inn_any", 1)) & ~both("inn")),
            Level("differ", both("inn_any")),
        ),
    ),
    Fact("ogrn", (Level("same", same("ogrn")), Level("differ", both("ogrn") & lengths_same("ogrn")))),
    Fact(
        "kpp",
        (
            Level("same", same("inn") & same("kpp")),
            Level("alike", same("kpp") & ~both("inn"), "kpp"),
            Level("differ", same("inn") & both("kpp")),
        ),
    ),
    Fact(
        "name",
        (
            Level("same", _FIRM & same("name"), "name"),
            Level("joined", _FIRM & same("flat"), "name"),
            Level("number", _FIRM & both("numbers") & ~same("numbers")),
            Level("slip", _FIRM & _slip("name", 5, 9), "name"),
            Level("part", _FIRM & both("name") & word_of("name")),
            Level("differ", _FIRM & both("name")),
        ),
    ),
    Fact(
        "last",
        (
            Level("same", same("last"), "last"),
            Level("crossed", crossed("last", "first"), "last"),
            Level("slip", _slip("last", 4, 8), "last"),
            Level("part", both("last") & word_of("last"), "last"),
            Level("differ", both("last")),
        ),
    ),
    Fact(
        "first",
        (
            Level("initial", both("first") & initial("first") & begins("first")),
            Level("same", same("first"), "first"),
            Level("crossed", crossed("last", "first")),
            Level("short", both("first") & listed("first", "others"), "first"),
            Level("slip", (_slip("first", 4, 7) | (cut_off("first") & long("first", 5))) & ~initial("first"), "first"),
            Level("differ", both("first")),
        ),
    ),
    Fact(
        "middle",
        (
            Level("initial", both("middle") & initial("middle") & begins("middle")),
            Level("same", same("middle"), "middle"),
            Level(
                "slip", (_slip("middle", 3, 7) | (cut_off("middle") & long("middle", 4))) & ~initial("middle"), "middle"
            ),
            Level("differ", both("middle")),
        ),
    ),
    Fact(
        "birthday",
        (
            Level("same", same("birthday"), "birthday"),
            Level("slip", both("birthday") & near("birthday", 1)),
            Level("close", both("birthday") & near("birthday", 2)),
            Level("differ", both("birthday")),
        ),
    ),
    Fact("phone", (Level("same", shared("phone"), "p.phone"), Level("differ", flags("has_phone")))),
    Fact(
        "email",
        (
            Level("same", shared("email"), "p.email"),
            Level("domain", shared("domain"), "p.domain"),
            Level("differ", flags("has_email")),
        ),
    ),
    Fact(
        "city",
        (
            Level("same", same("city"), "city"),
            Level("slip", _slip("city", 5, 9), "city"),
            Level("differ", both("city")),
        ),
    ),
    Fact("area", (Level("same", same("area")), Level("differ", both("area")))),
    Fact(
        "address",
        (
            Level("code", same("fias"), "unit"),
            Level("unit", same("street") & same("house") & same("unit"), "unit"),
            Level("house", same("street") & same("house") & ~both("unit"), "house"),
            Level("beside", same("street") & same("house")),
            Level(
                "slip",
                both("house") & ((_slip("street", 5, 9) & same("house")) | (same("street") & near("house", 1))),
                "house",
            ),
            Level("differ", both("street")),
        ),
    ),
    Fact(
        "postcode",
        (
            Level("same", same("postcode"), "postcode"),
            Level("slip", both("postcode") & near("postcode", 1)),
            Level("differ", both("postcode")),
        ),
    ),
    Fact("kind", (Level("differ", kinds("i", "p")),)),
)

_BY_NAME = {fact.name: fact for fact in FACTS}


def level(name: str, *levels: str) -> Test:
    """The fact ``name`` stands at one of ``levels``; to be read after the levels are known (``p.name_l``)."""
    names = [one.name for one in _BY_NAME[name].levels]
    return level_in(name, [1 + names.index(wanted) for wanted in levels])


_SAME_FIRM = same("inn") & length_is("inn", 10)
_LARGEST = reason("kpp", "50")

#: Name → what forbids a merge, whatever the bits say. Which of them are in force, the weights tell.
VETOES: dict[str, Test] = {
    "inn_differs": both("inn") & ~same("inn") & lengths_same("inn"),
    "ogrn_differs": level("ogrn", "differ") & ~(same("inn") & length_is("inn", 12)),
    "kpp_differs": _SAME_FIRM & level("kpp", "differ") & ~_LARGEST,
    "first_differs": level("first", "differ"),
    "middle_differs": level("middle", "differ"),
    "gender_differs": both("gender") & ~same("gender"),
    "kind_differs": kinds("o", "i") | kinds("o", "p"),
    "birthday_differs": level("birthday", "differ"),
}

_HERE = level("city", "same") | level("address", "code", "unit", "house")
_ELSEWHERE = level("city", "differ") | level("area", "differ") | level("address", "differ") | flags_differ("branch")
_FIRMS = kinds("o", "o") | kinds("o", "")

#: Facts that follow from the levels of the others. ``branch``: two firms that may be two parts of one, so that a
#: person has to look.
LATE = (
    Fact(
        "branch",
        (
            Level("elsewhere", _FIRMS & ~level("kpp", "same") & (_ELSEWHERE | (level("kpp", "differ") & _LARGEST))),
            Level(
                "unknown", _FIRMS & ~level("kpp", "same") & (flag("branch") | (_SAME_FIRM & ~_HERE & ~shared("phone")))
            ),
        ),
    ),
)

#: Facts that can carry an automatic merge: fact → levels at which it agrees on its own. Phones and mailboxes must be
#: rare.
AGREEING: dict[str, tuple[str, ...]] = {
    "inn": ("same",),
    "ogrn": ("same",),
    "phone": ("same",),
    "email": ("same",),
    "address": ("code", "unit", "house"),
    "birthday": ("same",),
}
#: A whole name agrees as one fact: the words of a firm, or surname and first name of a person.
WHOLE_NAME: Test = level("name", "same", "joined") | (
    level("last", "same") & level("first", "same", "short") & ~level("middle", "differ")
)

#: Names of the rules that make a merge automatic, in their order; ``facts`` is decided by the weights.
KEY_RULES: dict[str, Test] = {
    "inn_kpp": level("kpp", "same"),
    "ogrn": level("ogrn", "same") & ~(level("kpp", "differ")),
    "inn_person": same("inn") & length_is("inn", 12),
}

_FAMILY = (level("phone", "same") | level("email", "same") | level("address", "code", "unit")) & both("first")

#: What two records are to each other when they are not one: the first that holds.
RELATIONS: dict[str, Test] = {
    "branch_of": _SAME_FIRM,
    "contact_of": (kinds("o", "p") | kinds("o", "i")) & (shared("phone") | shared("email") | shared("domain")),
    "household": (kinds("p", "p") | kinds("p", "i") | kinds("i", "i"))
    & _FAMILY
    & (level("last", "same", "slip") | level("address", "code", "unit")),
    "same_group": kinds("o", "o") & (shared("domain") | level("phone", "same") | level("email", "same")),
}

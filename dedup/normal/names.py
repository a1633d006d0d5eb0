"""Names of firms and of persons: from words to the parts that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from dedup.normal.words import Word, cut, dotted, look, spelled_short


class FirmName(NamedTuple):
    """``key``: words in alphabetical order; ``flat``: in their own order without blanks; ``numbers``: words of digits.

    ``form``: group of the legal form; ``branch``: whether the name says that it is a part of a firm.
    """

    key: str
    flat: str
    numbers: str
    form: str
    branch: bool


class Person(NamedTuple):
    """Parts as skeletons without gender; an initial is one letter. ``others``: what a short first name may mean."""

    last: str
    first: str
    middle: str
    gender: str
    others: str


class Places(NamedTuple):
    """Where the parts of a person's name stand among its words; -1: not there. ``last`` may be several words.

    ``more``: what is left of a name without a patronymic; it belongs to the middle.
    """

    last: tuple[int, ...]
    first: int
    middle: int
    more: tuple[int, ...] = ()


def firm_words(text: str) -> str:
    """The name of a firm as cut words: full forms short, single letters together."""
    return dotted(spelled_short(cut(text)))


def firm(words: Sequence[Word]) -> FirmName:
    """The compared parts of a firm's name."""
    form = next((word.form for word in words if word.form), "")
    branch = next((n for n, word in enumerate(words) if word.org == "B"), -1)
    body = [word.canon for word in words[: branch if branch >= 0 else None] if word.org == "W"]
    if not body:  # the mark of a branch stands first, or there is nothing but forms and noise
        body = _until_noise(words[branch + 1 :]) or [word.canon for word in words if word.org in "WX"]
    body = [word for word in body if word]
    numbers = " ".join(sorted(word for word in body if word.isdigit()))
    return FirmName(" ".join(sorted(set(body))), "".join(body), numbers, form, branch >= 0)


def _until_noise(words: Sequence[Word]) -> list[str]:
    """The name in ``Филиал ООО Ромашка в г. Тюмень``: what follows it is a place."""
    names = [(word.org, word.canon) for word in words if word.org in "WX"]
    end = next((n for n, (kind, _) in enumerate(names) if kind == "X" and n), len(names))
    return [canon for kind, canon in names[:end] if kind == "W"]


def firm_name(text: str) -> FirmName:
    """A firm's name as people write it: ``ООО «Ромашка»``, ``Ромашка, ООО``, ``Общество с ограниченной …``."""
    return firm([look(word) for word in firm_words(text).split()])


@lru_cache(maxsize=4096)
def places(classes: str) -> Places:
    """Where the parts stand, by the classes of the words: see ``Word.person``.

    The patronymic decides, as in ``hub.model.identity.split_name``; then initials; then a known first name; then
    what looks like a surname; else the surname is first. Words after a complete name are notes.
    """
    kept = [n for n, kind in enumerate(classes) if kind not in "XT"]
    if not kept:
        return Places((), -1, -1)
    middle = next((n for n in kept[1:] if _patronymic(classes, n)), -1)
    if middle >= 0:
        at = kept.index(middle)
        before, after = kept[: at - 1], [n for n in kept[at + 1 :] if classes[n] != "I"]
        family = [n for n in before if classes[n] not in "IY"] or before
        return Places(tuple(family or after[:1]), kept[at - 1], middle)
    initials = [n for n in kept if classes[n] == "I"]
    whole = [n for n in kept if classes[n] != "I"]
    if initials and whole:
        return _with_initials(classes, whole, initials)
    if len(kept) == 1:
        return Places((), kept[0], -1) if classes[kept[0]] == "F" else Places((kept[0],), -1, -1)
    first = _first(classes, kept)
    rest = [n for n in kept if n != first]
    return Places((rest[0],), first, rest[1] if len(rest) > 1 else -1, tuple(rest[2:]))


def _patronymic(classes: str, n: int) -> bool:
    return classes[n] == "P" or classes[n + 1 : n + 2] == "T"


def _with_initials(classes: str, whole: list[int], initials: list[int]) -> Places:
    if len(whole) == 1:
        return Places((whole[0],), initials[0], initials[1] if len(initials) > 1 else -1)
    first = _first(classes, whole)
    return Places(tuple(n for n in whole if n != first)[:1], first, initials[0])


def _first(classes: str, kept: list[int]) -> int:
    known = [n for n in kept if classes[n] == "F"]
    if len(known) == 1:
        return known[0]
    two = kept[:2]
    if classes[two[1]] == "S" and classes[two[0]] != "S":
        return two[0]
    return two[1]


def person_classes(words: Sequence[Word]) -> str:
    """The classes of a person's words in their order."""
    return "".join(word.person for word in words)


def person(words: Sequence[Word]) -> Person:
    """The compared parts of a person's name."""
    at = places(person_classes(words))
    first = words[at.first] if at.first >= 0 else None
    middle = words[at.middle] if at.middle >= 0 else None
    last = [words[n] for n in at.last]
    tail = next((word.gender_middle for word in words if word.person == "T"), "")
    own = (first.gender_first if first else "", tail or (middle.gender_middle if middle else ""))
    return Person(
        last=" ".join(word.last for word in last),
        first=first.first if first else "",
        middle=" ".join([middle.middle if middle else "", *(words[n].canon for n in at.more)]).strip(),
        gender=gender_of(*own, next((word.gender_last for word in last if word.gender_last), "")),
        others=first.others if first else "",
    )


def gender_of(first: str, middle: str, last: str) -> str:
    """The gender by first name and patronymic, else by the surname; where the first two contradict each other, none."""
    if first and middle and first != middle:
        return ""
    return first or middle or last


def person_words(text: str) -> str:
    """A person's name as cut words, without the legal form of a sole proprietor in full."""
    return spelled_short(cut(text))


def person_name(text: str) -> Person:
    """A person's name as people write it, in either order, with initials, with ИП before it."""
    return person([look(word) for word in person_words(text).split()])


def person_parts(last: str, first: str, middle: str) -> Person:
    """A person whose parts stand in fields of their own: the fields tell the places, the words tell the rest."""
    words = [[look(word) for word in cut(part).split()] for part in (last, first, middle)]
    lasts, firsts, middles = words
    first_gender = next((word.gender_first for word in firsts if word.gender_first), "")
    middle_gender = next((word.gender_middle for word in middles if word.gender_middle), "")
    return Person(
        last=" ".join(word.last for word in lasts),
        first=" ".join(word.first for word in firsts),
        middle=" ".join(word.middle for word in middles),
        gender=gender_of(
            first_gender, middle_gender, next((word.gender_last for word in lasts if word.gender_last), "")
        ),
        others=firsts[0].others if len(firsts) == 1 else "",
    )

"""SEARCH: which letters of a folder are meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

from stand.mail import mime
from stand.mail.boxes import Letter
from stand.mail.words import Bad, day, numbers, text

Test = Callable[[Letter], bool]
_FLAGS = {
    "SEEN": "\\Seen",
    "DELETED": "\\Deleted",
    "FLAGGED": "\\Flagged",
    "ANSWERED": "\\Answered",
    "DRAFT": "\\Draft",
}
_FIELDS = ("FROM", "TO", "CC", "BCC", "SUBJECT")


def search(criteria: list[Any], letters: list[Letter]) -> list[int]:
    """Uids of the letters that pass all the criteria; ``letters``: in order, as the session sees them."""
    words = list(criteria)
    if words and text(words[0]).upper() == "CHARSET":
        words = words[2:]
    tests = []
    while words:
        tests.append(_one(words, letters))
    return [letter.uid for letter in letters if all(test(letter) for test in tests)]


def _one(words: list[Any], letters: list[Letter]) -> Test:
    word = words.pop(0)
    if isinstance(word, list):
        inner = list(word)
        tests = []
        while inner:
            tests.append(_one(inner, letters))
        return lambda letter: all(test(letter) for test in tests)
    name = text(word).upper()
    if name == "NOT":
        test = _one(words, letters)
        return lambda letter: not test(letter)
    if name == "OR":
        first, second = _one(words, letters), _one(words, letters)
        return lambda letter: first(letter) or second(letter)
    return _simple(name, words, letters)


def _simple(name: str, words: list[Any], letters: list[Letter]) -> Test:
    if name == "ALL":
        return lambda letter: True
    if name.removeprefix("UN") in _FLAGS:
        flag, wanted = _FLAGS[name.removeprefix("UN")], not name.startswith("UN")
        return lambda letter: (flag in letter.flags) == wanted
    if not words and not name[0].isdigit() and name[0] != "*":
        raise Bad(name)
    if name == "UID":
        chosen = set(numbers(text(words.pop(0)), [letter.uid for letter in letters]))
        return lambda letter: letter.uid in chosen
    if name[0].isdigit() or name[0] == "*":
        places = set(numbers(name, list(range(1, len(letters) + 1))))
        uids = {letter.uid for place, letter in enumerate(letters, 1) if place in places}
        return lambda letter: letter.uid in uids
    if name.removeprefix("SENT") in {"SINCE", "BEFORE", "ON"}:
        return _dated(name, day(text(words.pop(0))))
    if name in {"LARGER", "SMALLER"}:
        size = int(text(words.pop(0)))
        return lambda letter: len(letter.raw) > size if name == "LARGER" else len(letter.raw) < size
    return _texts(name, words)


def _texts(name: str, words: list[Any]) -> Test:
    field = name.encode() if name in _FIELDS else text(words.pop(0)).encode() if name == "HEADER" else b""
    if not field and name not in {"TEXT", "BODY"}:
        raise Bad(name)
    wanted = text(words.pop(0)).encode().lower()
    if field:
        return lambda letter: wanted in mime.value(letter.root.head, field).lower()
    return lambda letter: wanted in (letter.raw if name == "TEXT" else letter.root.body).lower()


def _dated(name: str, wanted: date) -> Test:
    def of(letter: Letter) -> date | None:
        if not name.startswith("SENT"):
            return letter.arrived.date()
        try:
            return parsedate_to_datetime(mime.value(letter.root.head, b"date").decode("ascii", "ignore")).date()
        except (ValueError, TypeError):
            return None

    def test(letter: Letter) -> bool:
        found = of(letter)
        if found is None:
            return False
        how = name.removeprefix("SENT")
        return found >= wanted if how == "SINCE" else found < wanted if how == "BEFORE" else found == wanted

    return test

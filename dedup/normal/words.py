"""A name as words: what is cut away, and what each word is. The scalar rule that the vectorised form repeats.

Cutting goes by character classes that Python's and Rust's regular expressions read alike; what a word is depends on the
word only. So a column is done by cutting it whole and looking at each different word once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from dedup.normal.letters import as_cyrillic, one_alphabet, skeleton
from dedup.normal.tables import first_names, full_forms, short_forms, words
from hub.model.identity import like_surname, patronymic_gender

#: What is plain enough for the vectorised form; the rest goes through the scalar one.
PLAIN = r"^[ -~А-Яа-яЁёІіЇїЄє«»„“”№–—]*$"
#: An apostrophe within a word is no end of it.
APOSTROPHE = r"([a-zа-яёіїє])['`’ʼ]([a-zа-яёіїє])"
#: What parts words.
BETWEEN = r"[^0-9a-zа-яіїє]+"
#: Words that show that a full legal form may be written out.
SPELLED_OUT = (
    "обществ",
    "акционер",
    "предпринимател",
    "учрежден",
    "предприяти",
    "некоммерч",
    "хозяйств",
    "товариществ",
    "кооператив",
)
_APOSTROPHE = re.compile(APOSTROPHE)
_DIGITS = re.compile("[0-9]+")
_BETWEEN = re.compile(r"[\W_]+")
_FULL = re.compile("|".join(full_forms()))
_DOTTED = re.compile(r"(?<!\S)\w(?: \w)+(?!\S)")
#: Words that tell that this is a part of a firm; what follows is where it is.
_BRANCH = words("branch")
#: What people write beside a name in a card, and what is no name.
_NOISE = words("noise")
_PATRONYMIC = re.compile(r"(?:(?:ov|ev|il|mi|ki)iq|[ktm]iq)$|(?:ov|ev|iq|in)na$")
_TAIL = {"ogli": "m", "uli": "m", "ugli": "m", "kizi": "f", "gizi": "f"}
_SURNAME_F = re.compile(r"[a-z]{3}(?:(?:ov|ev|in|sk|ck)a|[sc]kax)$")
_SURNAME_M = ("ov", "ev", "in", "ski", "cki")
_FEMALE = ((re.compile(r"(ov|ev|in)a$"), r"\1"), (re.compile(r"([sc]k)(?:a|ax)$"), r"\1i"), (re.compile(r"ax$"), "i"))


class Word(NamedTuple):
    """What a word is.

    ``canon``: skeleton. ``org``: its part in the name of a firm (L legal form, B branch, X noise, W word).
    ``person``: in a person's name (X noise, I initial, P patronymic, T its tail such as оглы, F first name, S like a
    surname, Y two letters, W word). ``form``: group of the legal form. ``last``, ``first``, ``middle``: what it
    stands for at that place. ``gender_first``, ``gender_last``: m, f or empty. ``others``: full names a short form
    may mean, in bars.
    """

    canon: str
    org: str
    person: str
    form: str
    last: str
    first: str
    middle: str
    gender_first: str
    gender_middle: str
    gender_last: str
    others: str


def cut(text: str) -> str:
    """``text`` in lower case as words between single blanks, without quotes and marks; ё is е."""
    lower = _APOSTROPHE.sub(r"\1\2", text.lower()).replace("ё", "е")
    return _BETWEEN.sub(" ", lower).strip()


def spelled_short(text: str) -> str:
    """Cut words with full legal forms written short."""
    if any(stem in text for stem in SPELLED_OUT):
        return " ".join(_FULL.sub(lambda found: f" {full_forms()[found[0]]} ", text).split())
    return text


def dotted(text: str) -> str:
    """Cut words with runs of single letters put together: ``о о о``, ``а б в``."""
    return _DOTTED.sub(lambda found: found[0].replace(" ", ""), text)


@lru_cache(maxsize=262144)
def look(word: str) -> Word:
    """What one cut word is."""
    whole = one_alphabet(word)
    canon = skeleton(whole)
    form = short_forms().get(whole) or (short_forms().get(as_cyrillic(whole), "") if whole.isascii() else "")
    noise = whole in _NOISE
    org = "L" if form else "B" if whole in _BRANCH else "X" if noise else "W"
    letters = _DIGITS.sub("", whole) or whole  # in a person's name digits are glued to a word by accident
    spoken = skeleton(letters) if letters != whole else canon
    known = first_names().get(spoken)
    patronymic = patronymic_gender(letters)[:1] or _latin_patronymic(spoken, letters)
    last, gender_last = _surname(spoken)
    return Word(  # by place: this is called for each word there is
        canon,
        org,
        _person(letters, canon, form, noise, known is not None, patronymic),
        form,
        last,
        known.canon if known else spoken,
        _stem(spoken) if patronymic else spoken,
        known.gender if known else "",
        patronymic or _TAIL.get(canon, ""),
        gender_last,
        "|" + "|".join(known.others) + "|" if known and known.others else "",
    )


def _person(whole: str, canon: str, form: str, noise: bool, known: bool, patronymic: str) -> str:
    if not canon or canon[0].isdigit():
        return "X"
    if len(whole) == 1:
        return "I"
    if form or noise:
        return "X"
    if canon in _TAIL:
        return "T"
    if known:
        return "F"
    if patronymic and len(whole) > 4:
        return "P"
    return "S" if like_surname(whole) else "Y" if len(whole) < 3 else "W"


def _latin_patronymic(canon: str, word: str) -> str:
    if not word.isascii() or len(canon) < 6 or not _PATRONYMIC.search(canon):
        return ""
    return "f" if canon.endswith("a") else "m"


def _stem(patronymic: str) -> str:
    """Patronymic without its gender: Иванович and Ивановна are of one father."""
    return re.sub(r"(?:viq|vna|iniqna|iq|iqna|qna|v)$", "", patronymic) or patronymic


def _surname(canon: str) -> tuple[str, str]:
    """Surname without its gender, and the gender its ending tells."""
    if canon[-1:] in ("a", "x") and len(canon) > 4:
        for ending, masculine in _FEMALE:
            if ending.search(canon):
                return ending.sub(masculine, canon), "f" if _SURNAME_F.search(canon) or canon.endswith("ax") else ""
    return canon, "m" if len(canon) > 4 and canon.endswith(_SURNAME_M) else ""

"""Letters of a word: ё, look-alikes of two alphabets, and the skeleton that all spellings of one sound share.

A *word* is lower case without blanks. The skeleton is ASCII, so that distances count letters and not bytes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LATIN = re.compile(r"[a-z]")
_CYRILLIC = re.compile(r"[а-яёіїєґў]")
#: Latin letters whose capital or small form looks like a Cyrillic one, and what it looks like.
_TO_CYRILLIC = str.maketrans("abcehkmoptxyui", "авсенкмортхуиі")
_LOOKALIKES = frozenset("abcehkmoptxyui")
_TO_LATIN = str.maketrans("авсенкмортхуі", "abcehkmoptxyi")

_SOUNDS = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфхцъыьэ", "abvgdeziiklmnoprstufhc\0i\0e", strict=True)),
        "ё": "e",
        "ж": "j",
        "ч": "q",
        "ш": "w",
        "щ": "w",
        "ю": "y",
        "я": "x",
        "і": "i",
        "ї": "i",
        "є": "e",
        "ґ": "g",
        "ў": "u",  # Ukrainian and Belarusian
        "ә": "a",
        "ғ": "g",
        "қ": "k",
        "ң": "n",
        "ө": "o",
        "ұ": "u",
        "ү": "u",
        "һ": "h",  # Kazakh
    }
)
#: How Latin writes what is one letter in Cyrillic: ГОСТ, the passport rules and habit (щ=shch/sch, ц=ts/tz, й=y/i/j).
_GROUPS = (
    ("shch", "w"),
    ("sch", "w"),
    ("zh", "j"),
    ("kh", "h"),
    ("ch", "q"),
    ("sh", "w"),
    ("ts", "c"),
    ("tz", "c"),
    ("ck", "k"),
    ("ph", "f"),
    ("yu", "Y"),
    ("ju", "Y"),
    ("iu", "Y"),
    ("ya", "X"),
    ("ja", "X"),
    ("ia", "X"),
    ("yo", "e"),
    ("jo", "e"),
    ("ye", "e"),
    ("je", "e"),
    ("ie", "e"),
    ("x", "ks"),
    ("y", "i"),
    ("j", "i"),
    ("w", "v"),
)
#: After that, in both alphabets: и before я, ю and е is heard in them.
_MELT = (("ia", "x"), ("iu", "y"), ("ie", "e"), ("ix", "x"), ("iy", "y"))
_GROUP = re.compile("|".join(spelling for spelling, _ in _GROUPS))
_SOUND_OF = dict(_GROUPS)
_TWICE = re.compile(r"(.)\1+")


def one_alphabet(word: str) -> str:
    """``word`` with look-alikes put into one alphabet, if it mixes two: Cyrillic unless a letter can only be Latin."""
    if word.isascii() or not (_LATIN.search(word) and _CYRILLIC.search(word)):
        return word
    latin = set(_LATIN.findall(word))
    return word.translate(_TO_CYRILLIC) if latin <= _LOOKALIKES else word.translate(_TO_LATIN)


def as_cyrillic(word: str) -> str:
    """A word of Latin look-alikes as the Cyrillic word it looks like (``ooo`` typed in the wrong layout)."""
    return word.translate(_TO_CYRILLIC) if _LOOKALIKES.issuperset(word) else word


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """The ASCII skeleton of a word: equal for Cyrillic and its transliterations, doubled letters are single.

    A Cyrillic letter is one letter at most, so that an initial stays one: ж j, х h, ц c, ч q, ш and щ w, ю y, я x.
    """
    if word.isascii():
        if word.isdigit():
            return word
        text = _GROUP.sub(lambda found: _SOUND_OF[found[0]], word).lower()
    else:
        text = one_alphabet(word).translate(_SOUNDS).replace("\0", "")
        if not text.isascii():
            text = "".join(_ascii(letter) for letter in text)
    for heard, one in _MELT:
        text = text.replace(heard, one)
    return _TWICE.sub(r"\1", text)


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode().lower()
    return "".join(filter(str.isalnum, plain)) or f"u{ord(letter):x}"

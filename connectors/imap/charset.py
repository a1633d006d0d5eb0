"""Bytes of letters as text: charsets under the names that programs give them, and a guess where none is named."""

from __future__ import annotations

import codecs
import re
import string
from functools import lru_cache

#: Names that Python does not know, as programs write them.
_NAMES = {
    "koi8r": "koi8-r",
    "koi8": "koi8-r",
    "cp-1251": "cp1251",
    "win-1251": "cp1251",
    "win1251": "cp1251",
    "windows1251": "cp1251",
    "x-cp1251": "cp1251",
    "cp-866": "cp866",
    "ibm866": "cp866",
    "unicode-1-1-utf-7": "utf-7",
    "x-unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "unicode": "utf-8",
    "x-mac-cyrillic": "mac_cyrillic",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
}
#: How often letters are met in Russian text, roughly: the more frequent, the further left.
_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_WEIGHT = {letter: 34 - place for place, letter in enumerate(_RUSSIAN)}
_GUESSED = ("cp1251", "koi8-r", "cp866")
#: Bytes that say nothing in base64.
NOT_BASE64 = bytes(set(range(256)).difference(string.ascii_letters.encode(), string.digits.encode(), b"+/"))
_HIGH = re.compile(rb"[\x80-\xff]+")
#: What no database takes and nobody reads: controls but tab and line ends, halves of surrogate pairs.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")


@lru_cache(maxsize=512)
def known(name: str) -> str:
    """Python's name of a charset; empty for one that there is none of, and for none named."""
    bare = name.strip().strip("\"'").lower().replace(" ", "")
    bare = _NAMES.get(bare, bare)
    if not bare or bare.startswith(("idna", "punycode", "unicode_escape", "raw_unicode")):
        return ""
    try:
        info = codecs.lookup(bare)
    except (LookupError, UnicodeError, ValueError):
        return ""
    return info.name if getattr(info, "_is_text_encoding", True) else ""


def clean(text: str) -> str:
    """Without what no database takes."""
    return _CONTROLS.sub("", text)


def decode(data: bytes, charset: str = "", hint: str = "") -> str:
    """Text of bytes. ``charset``: as named beside them, believed where it can be; ``hint``: where nothing is named.

    Never fails: what is left undecodable becomes U+FFFD.
    """
    if data.isascii() and not _shifts(charset):
        return clean(data.decode("ascii"))
    name = known(charset)
    if name not in {"", "ascii", "utf-8"} and _is_utf8(data):
        name = "utf-8"
    if name and name != "ascii":
        try:
            return clean(data.decode(name))
        except (UnicodeError, ValueError):
            pass
        if _mostly(data, name):
            return clean(data.decode(name, "replace"))
    return clean(guess(data, hint))


def _is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 whatever is said beside them: no other text is by chance, if it has some letters."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(data) - 3:
            return False
        text = data[: error.start].decode("utf-8")  # cut within its last letter
    return sum(map("\x7f".__lt__, text)) > 3


def _shifts(charset: str) -> bool:
    """Charsets whose bytes are all of ASCII."""
    return known(charset) in {"utf-7", "iso2022_jp", "iso2022_kr", "hz", "utf-16", "utf-16-le", "utf-16-be"}


def _mostly(data: bytes, name: str) -> bool:
    """Whether few of the bytes contradict the charset: a text that was cut, or a bad letter among many."""
    text = data.decode(name, "replace")
    wrong = text.count("\ufffd")
    right = sum(map("\x7f".__lt__, text)) - wrong
    return wrong * 4 <= right


def guess(data: bytes, hint: str = "") -> str:
    """Text of bytes that name no charset: UTF-8 where it can be, else the Cyrillic one that reads most like Russian.

    Accents standing alone among Latin letters are Western European.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if _mostly(data, "utf-8"):
            return data.decode("utf-8", "replace")
    name = known(hint)
    if name and name not in {"ascii", "utf-8"}:
        try:
            return data.decode(name)
        except (UnicodeError, ValueError):
            pass
    runs = _HIGH.findall(data)
    high = sum(map(len, runs))
    if high <= 2 * len(runs) and high * 4 <= len(data):
        return data.decode("cp1252", "replace")
    best = max(_GUESSED, key=lambda name: _russian(data, name))
    return data.decode(best, "replace")


def _russian(data: bytes, name: str) -> float:
    """How much like Russian the bytes read in that charset: frequent letters, small ones after capitals, no others."""
    text = data[:4096].decode(name, "replace")
    score = 0.0
    before = " "
    for letter in text:
        if letter in _WEIGHT:
            score += _WEIGHT[letter]
        elif letter.lower() in _WEIGHT:
            # A capital begins a word or stands among capitals; after a small letter it is none.
            score += _WEIGHT[letter.lower()] * (-1.0 if before in _WEIGHT else 0.5)
        elif letter > "\x7f" and letter not in "«»—–№…“”„’\xa0":
            score -= 30
        before = letter
    return score

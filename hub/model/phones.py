"""What stands in the caller and callee of a call: a telephone number, an extension, a service, nobody.

A number of the public network comes out as ``identity.parse_phone`` makes it, which is what mappings keep of a
client's telephones: a call and a card meet by equal texts. The rest is told apart before a number is looked for, since
``101`` and ``*98`` would pass for numbers of some country.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from hub.model.identity import ascii_digits, digits, parse_phone, parse_phones

HandleKind = Literal["phone", "extension", "service", "hidden", "other"]


class Handle(NamedTuple):
    """``norm``: E.164 of a phone, an extension or a service as dialled, ``hidden`` of a hidden caller, else the text in
    lower case. ``ext``: what is dialled after a phone answers. ``raw``: as it was written.
    """

    kind: HandleKind
    norm: str
    ext: str
    raw: str


#: What exchanges, gateways and telephones show for a caller who hides: nobody is known by these.
_HIDDEN = frozenset(
    re.findall(
        r"[^,\n]+",
        """anonymous,unknown,restricted,private,unavailable,withheld,blocked,hidden,none,null,nobody,asterisk,s
private number,no caller id,unknown number,скрыт,скрытый,скрытый номер,номер скрыт,неизвестен,неизвестный,аноним
анонимный,номер не определен""",
    )
)
_EMPTY = frozenset({"", "-", "<unknown>"})
_ANGLES = re.compile(r"<([^<>]*)>")
_SCHEME = re.compile(r"(?:sips?|tel|pjsip|iax2?|callto):(?://)?", re.IGNORECASE)
_PARAMETER_EXT = re.compile(r";ext=(\d{1,8})", re.IGNORECASE)
#: As long as an extension gets; emergency and other short numbers of the network are no longer either.
_SHORT = 6
_EXTENSION = re.compile(r"[\d()\s.-]+")
_SERVICE = re.compile(r"[*#][\d*#]*|0\d{1,5}|112")


@lru_cache(maxsize=16384)
def read_phone(text: str | None, area_code: str = "") -> Handle:
    """The one number of a text; of several the first. ``area_code``: of numbers dialled without one, such as ``495``.

    A number that lacks a digit, or a town's without its code, is ``other``: it is nobody's and matches nothing.
    """
    raw = (text or "").strip()
    bare, ext = _bare(ascii_digits(raw))
    name = bare.lower().replace("ё", "е").strip(" .")
    if name in _EMPTY or name.partition("@")[0] in _HIDDEN:
        return Handle("hidden", "hidden", "", raw)
    user, at, host = bare.partition("@")
    number = user.strip()
    if at and not _dialled(number):
        return Handle("other", f"{user}@{host}".lower(), "", raw)
    short = _short(number, area_code)
    if short is not None:
        return Handle(*short, "", raw)
    found = parse_phones(number, area_code)
    if not found or not found[0].valid:
        return Handle("other", found[0].norm if found else number.lower(), "", raw)
    return Handle("phone", found[0].norm, ext or found[0].ext, raw)


def read_phones(text: str | None, area_code: str = "") -> Iterator[Handle]:
    """Every number of a text that may list several (``84951234567, 89161234567``); a hidden caller is one."""
    raw = (text or "").strip()
    found = parse_phones(_bare(raw)[0], area_code)
    if len(found) < 2:
        yield read_phone(raw, area_code)
        return
    for phone in found:
        yield Handle("phone" if phone.valid else "other", phone.norm, phone.ext, raw)


def own_numbers(texts: tuple[str, ...], area_code: str = "") -> frozenset[str]:
    """E.164 of numbers that are ours, as the settings list them in any spelling."""
    return frozenset(phone.norm for text in texts for phone in [parse_phone(text, area_code)] if phone.valid)


def _bare(raw: str) -> tuple[str, str]:
    """``"Иван" <sip:+79161234567@host;user=phone>`` without its name, scheme and parameters; the extension in these."""
    angled = _ANGLES.search(raw)
    # A name alone in quotes, or the mark of Asterisk's for no caller: nothing is within the angles.
    inside = angled[1].strip() if angled else raw
    scheme = _SCHEME.match(inside)
    if scheme is None:
        return inside, ""
    inside = inside[scheme.end() :]
    ext = _PARAMETER_EXT.search(inside)
    return inside.partition(";")[0], ext[1] if ext else ""


def _dialled(user: str) -> bool:
    """Whether the part before the ``@`` is a number and no name."""
    return bool(user) and not re.search(r"[^\W\d_]", user)


def _short(number: str, area_code: str) -> tuple[HandleKind, str] | None:
    """What is no number of the public network; ``None`` for what may be one."""
    packed = re.sub(r"[\s().-]", "", number)
    if _SERVICE.fullmatch(packed):
        return "service", packed
    count = len(digits(packed))
    if not (packed.isascii() and packed.isdigit()) or count > _SHORT or not _EXTENSION.fullmatch(number):
        return None
    # Six digits complete a town's code of four: who sets such a code has telephones of the town.
    return None if area_code and count + len(area_code) == 10 and count > 4 else ("extension", packed)

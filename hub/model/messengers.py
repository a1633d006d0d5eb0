"""Names in messengers, in the very form in which contact points of parties are kept.

A user of Telegram is ``telegram:<id>``, and besides, as long as he has one, ``@name``; a user of Matrix is
``@name:server``. Links and prefixes that people write on cards mean the same (t.me, tg://, matrix.to). Anything else, a
name in Skype, stays as it is written, in lower case.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_WEB = r"(?:https?://)?(?:www\.)?"
#: What a card may hold, and what it means; the first that fits the whole text counts.
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (_WEB + r"(?:t\.me|telegram\.(?:me|dog))/([a-z]\w{3,31})/?", r"@\1"),
        (r"tg://resolve\?domain=([a-z]\w{3,31})", r"@\1"),
        (r"tg://user\?id=(-?\d+)", r"telegram:\1"),
        (r"(?:telegram|tg|телеграмм?|тг)\s*[:@ ]\s*@?([a-z]\w{3,31})", r"@\1"),
        (r"(?:telegram|tg|телеграмм?|тг)\s*[: ]\s*(-?\d+)", r"telegram:\1"),
        (_WEB + r"matrix\.to/#/(@[^\s/?]+:[^\s/?]+)(?:\?\S*)?", r"\1"),
        (r"matrix:u/([^\s/?]+:[^\s/?]+)", r"@\1"),
        (r"(?:matrix|матрикс)\s*[: ]\s*(@[^\s:]+:\S+)", r"\1"),
    )
)
_BLANKS = re.compile(r"\s+")


def messenger_norm(text: str) -> str:
    """The name as it is compared; empty for an empty text."""
    plain = _BLANKS.sub(" ", text).strip().lower()
    meant = unquote(plain)
    for pattern, meaning in _FORMS:
        found = pattern.fullmatch(meant)
        if found:
            return found.expand(meaning)
    return plain

"""Whether a person wrote a letter, or a program did."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.imap.addresses import Address
from connectors.imap.headers import Head
from hub.model.mailaddress import nobody_reads

#: The fields that are looked at.
FIELDS = (
    "auto-submitted",
    "x-autoreply",
    "x-autorespond",
    "x-auto-reply",
    "x-autoresponder",
    "list-id",
    "list-post",
    "list-unsubscribe",
    "precedence",
    "return-path",
    "x-failed-recipients",
    "content-type",
    "feedback-id",
)
#: What such a subject begins with; a mark must follow, for there are letters about answering machines too.
_SUBJECT = re.compile(
    r"\s*(?:авто(?:матический\s+|-?)ответ|автоответчик|automatic reply|auto(?:matic)?[- ]?reply|autoreply"
    r"|out of (?:the )?office|отсутствую в офисе|нет на месте)\s*(?:[:;,.!(\[–—-]|$)",
    re.IGNORECASE,
)
_BOUNCE = re.compile(
    r"\s*(?:undeliver(?:able|ed)|(?:mail )?deliver\w* (?:status notification|has failed|failure|failed)|returned mail"
    r"|недоставленное сообщение|письмо не доставлено|failure notice|mail delivery (?:failed|failure))",
    re.IGNORECASE,
)


def auto_kind(head: Head, subject: str, senders: Sequence[Address]) -> str:
    """``bounce``, ``auto_reply``, ``list``, ``bulk``, ``no_reply``, or empty for a letter of a person."""
    sender = senders[0].handle if senders else ""
    returned = head.raw("return-path").replace(b" ", b"") == b"<>"
    kind = head.plain("content-type")
    daemon = sender.startswith(("mailer-daemon@", "postmaster@"))
    report = kind.startswith("multipart/report") and "disposition-notification" not in kind
    if report or head.raw("x-failed-recipients") or ((returned or daemon) and _BOUNCE.match(subject)):
        return "bounce"
    if _answers_by_itself(head, subject) or "disposition-notification" in kind:
        return "auto_reply"
    precedence = head.plain("precedence")
    if head.raw("list-id") or head.raw("list-post") or precedence == "list":
        return "list"
    generated = head.plain("auto-submitted").startswith("auto-")
    if head.raw("list-unsubscribe") or head.raw("feedback-id") or precedence in {"bulk", "junk"} or generated:
        return "bulk"
    if returned:
        return "bounce" if daemon else "auto_reply"
    return "no_reply" if nobody_reads(sender) else ""


def _answers_by_itself(head: Head, subject: str) -> bool:
    told = head.plain("auto-submitted")
    if told.startswith("auto-replied") or head.plain("precedence") == "auto_reply":
        return True
    named = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponder")
    return any(head.plain(name) not in {"", "no"} for name in named) or _SUBJECT.match(subject) is not None

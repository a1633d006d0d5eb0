"""E-mail addresses as letters carry them, in the very form in which contact points of parties are kept."""

from __future__ import annotations

import re

from hub.model.identity import email_norm

#: Addresses that robots write from and nobody reads.
_NOBODY = re.compile(
    r"(?:no|do[-_.]?not|dont|not)[-_.]?(?:reply|replay|answer|otvechai|otvechaite)[^@]*|"
    r"(?:mailer[-_.]?daemon|postmaster|bounces?|robot|noresponse)(?:[-_.+=][^@]*)?"
)


def mail_handle(text: str) -> str:
    """The address of a letter's header as a handle: lower case, an international domain in its own letters.

    What has not the shape of an address comes back in lower case all the same, without blanks around it.
    """
    return email_norm(text)[0]


def nobody_reads(handle: str) -> bool:
    """Whether an address says of itself that an answer to it is read by nobody (``no-reply@``, ``mailer-daemon@``)."""
    return _NOBODY.fullmatch(handle.partition("@")[0]) is not None


def is_own(handle: str, own: frozenset[str]) -> bool:
    """Whether a handle is one of ``own``, or of a domain of theirs (``@firma.example``)."""
    return handle in own or f"@{handle.rpartition('@')[2]}" in own

"""What an error of a mail server means: wait, stop, or call a person. Passwords and tokens are in none of the texts."""

from __future__ import annotations

import imaplib
import re
import ssl
from typing import Any

from connectors.imap.config import ImapSettings, place_of
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem

#: Everything that a session may raise of itself.
RAISED = (imaplib.IMAP4.error, OSError, ValueError, EOFError)
_BUSY = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA)\]|too many (?:simultaneous )?connections|try again|temporar"
    r"|rate limit|internal error",
    re.IGNORECASE,
)
_APPLICATION = re.compile(
    r"appli?cation[- ]?(?:specific )?password|app password|parol prilozheni|web login required|pass:app", re.IGNORECASE
)
_OFF = re.compile(
    r"imap4? (?:access )?(?:is |has been )?(?:disabled|not enabled|switched off|not allowed)|enable imap|imap is off",
    re.IGNORECASE,
)
#: Where programs get passwords of their own, and where IMAP has to be switched on first.
_SEPARATE = ("yandex.ru", "yandex.com", "ya.ru", "mail.ru", "list.ru", "bk.ru", "inbox.ru", "rambler.ru", "gmail.com")


class Faults:
    """Errors of one mailbox."""

    def __init__(self, settings: ImapSettings) -> None:
        self._host = place_of(settings).host
        self._user = settings.user
        self._told: dict[str, Any] = {"system": settings.title}

    def connecting(self, error: BaseException) -> HubError:
        """Of making a connection."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return StopSystem("mail_certificate", host=self._host, reason=error.verify_message, **self._told)
        if isinstance(error, ssl.SSLError):
            return StopSystem("mail_tls_failed", host=self._host, reason=str(error.reason or ""), **self._told)
        if isinstance(error, imaplib.IMAP4.error) and _BUSY.search(str(error)):
            return RetryLater("mail_busy", **self._told)
        return RetryLater("mail_unreachable", host=self._host, **self._told)

    def no_tls(self) -> HubError:
        """The server cannot secure the connection that it was asked to."""
        return StopSystem("mail_no_tls", host=self._host, **self._told)

    def login(self, error: BaseException, *, token: bool) -> HubError:
        """Of logging in."""
        said = str(error)
        if isinstance(error, imaplib.IMAP4.abort | OSError) or _BUSY.search(said):
            return self.asked(error)
        if token:
            return StopSystem("mail_token_refused", user=self._user, **self._told)
        if _APPLICATION.search(said):
            return StopSystem("mail_app_password", user=self._user, **self._told)
        if _OFF.search(said) or self._host.endswith(_SEPARATE):
            return StopSystem("mail_auth_or_off", user=self._user, **self._told)
        return StopSystem("mail_auth_failed", user=self._user, **self._told)

    def asked(self, error: BaseException) -> HubError:
        """Of a command in a session."""
        if isinstance(error, HubError):
            return error
        said = str(error)
        if isinstance(error, imaplib.IMAP4.abort | OSError | EOFError):
            return RetryLater("mail_busy" if _BUSY.search(said) else "mail_cut", **self._told)
        if _BUSY.search(said):
            return RetryLater("mail_busy", **self._told)
        return StopRoute("mail_refused", said=_said(said), **self._told)


def _said(text: str) -> str:
    """What the server said, without more of it than a person reads."""
    return re.sub(r"\s+", " ", text).strip()[:200]

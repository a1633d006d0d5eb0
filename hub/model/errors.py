"""Every error the house raises, arranged by what the caller should do::

    HubError
    ├── RetryLater     a passing fault: the source is down, busy or slow        (wait, try again)
    ├── SkipRecord     one record cannot pass: it goes to quarantine            (go on with the next)
    ├── StopRoute      this route cannot go on: schema drift, mapping misfit    (other routes go on)
    ├── StopSystem     this system cannot go on: wrong password, not a 1C       (other systems go on)
    ├── Fenced         another run has taken this route over: stop, write nothing
    └── NeedsPerson    the settings or the call are wrong: say so and end       (exit code 2)

An error carries a ``code`` and parameters; its sentence and its advice come from the catalogue (``hub.texts``) in the
language of the reader, so no error holds a text of its own. Parameters must never hold a secret.
"""

from __future__ import annotations

from typing import Any

from hub.texts import advice, sentence

#: Refusals of a system that only the settings, or the rights in the system, can mend.
_SETTINGS = frozenset(
    {
        "auth_failed",
        "forbidden",
        "nothing_published",
        "cloud_key_refused",
        "cloud_sign_refused",
        "cloud_ip_refused",
        "cloud_right_missing",
        "chat_token_refused",
        "chat_webhook_set",
        "mailing_login_refused",
    }
)
#: Stops of a system that wait for an admin's word.
_WAITS = frozenset({"base_went_back", "system_is_copy"})


class HubError(Exception):
    """Base of the tree. ``code`` is a key of the catalogue; ``params`` fill its sentence and advice."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def sentence(self, lang: str = "ru") -> str:
        """What is wrong, in one sentence."""
        return sentence(self.code, lang, **self.params)

    def advice(self, lang: str = "ru") -> str:
        """What to do about it."""
        return advice(self.code, lang, **self.params)

    def __str__(self) -> str:
        return f"{self.sentence('ru')} {self.advice('ru')}".strip()


class RetryLater(HubError):
    """A passing fault of the source or the way to it; ``retry_after`` in seconds where the source told one."""

    def __init__(self, code: str, retry_after: float | None = None, **params: Any) -> None:
        super().__init__(code, **params)
        self.retry_after = retry_after


class SkipRecord(HubError):
    """One record cannot pass; ``field`` and ``value`` tell which part of it."""

    def __init__(self, code: str, field: str = "", value: object = None, **params: Any) -> None:
        super().__init__(code, field=field, value=value, **params)
        self.field = field
        self.value = value


class StopRoute(HubError):
    """This route cannot go on until something outside the run is changed."""


class StopSystem(HubError):
    """This system cannot be talked to until something outside the run is changed."""


class Fenced(HubError):
    """Another run owns the route now; nothing more may be written."""


class NeedsPerson(HubError):
    """The settings or the call are wrong; only a person can mend them."""


def exit_code(error: HubError) -> int:
    """Exit code of a command that ends with this error.

    0: nothing was to be done now · 1: something waits for a person · 2: the settings or the call are wrong · 3: a
    system could not be reached.
    """
    if isinstance(error, NeedsPerson) or error.code in _SETTINGS:
        return 2
    if error.code == "quiet_hours":
        return 0
    reachable = error.code in _WAITS or isinstance(error, (StopRoute, SkipRecord, Fenced))
    if isinstance(error, (RetryLater, StopSystem)) and not reachable:
        return 3
    return 1 if reachable else 2

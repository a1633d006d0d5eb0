"""From the error a service reports to what Dagster does about it: fail at once, or try again.

=============================== ===============================================
RetryLater                      the step waits and is tried again, then fails
StopRoute, StopSystem,          the step fails at once, other steps go on
NeedsPerson, Fenced
=============================== ===============================================

An admin sees one sentence with its advice and no traceback. Dagster stores the stack of every exception except of one
that brings its error along ready-made (``DagsterUserCodeProcessError``, meant for errors of other processes); the two
exceptions here are of that kind. A contract test holds this against the pinned version of Dagster.
"""

from __future__ import annotations

from typing import NoReturn

from dagster import Backoff, Failure, MetadataValue, RetryPolicy, RetryRequested
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from hub.model.errors import HubError, RetryLater
from hub.texts import sentence

#: Connectors have tried for a while by themselves when they say "later": these waits are for a server being restarted.
#: Not given to Dagster as the step's policy: with one, a run that a person ends would first wait and try again.
RETRY = RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL)


class _Told(DagsterUserCodeProcessError):
    """An exception whose stored form is given, not made from its stack; last in the order of its bases."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args, user_code_process_error_infos=[])  # type: ignore[no-untyped-call]


class RouteFailed(Failure, _Told):
    """A step that failed for a reason an admin can read; never retried by Dagster."""

    def __init__(self, error: HubError, lang: str) -> None:
        super().__init__(error.sentence(lang), metadata=_metadata(error, lang), allow_retries=False)
        self.user_code_process_error_infos = [_info(error, lang)]


class RouteLater(RetryRequested, _Told):
    """A step that is to be tried again in ``seconds_to_wait`` seconds."""

    def __init__(self, error: RetryLater, lang: str, attempt: int) -> None:
        delay = max(RETRY.calculate_delay(attempt), error.retry_after or 0.0)
        super().__init__(max_retries=RETRY.max_retries, seconds_to_wait=delay)
        self.user_code_process_error_infos = [_info(error, lang)]


def _info(error: HubError, lang: str) -> SerializableErrorInfo:
    text = f"{error.sentence(lang)} {error.advice(lang)}".strip()
    return SerializableErrorInfo(message=text, stack=[], cls_name=type(error).__name__)


def _metadata(error: HubError, lang: str) -> dict[str, MetadataValue[str]]:
    told = {"dg_code": error.code, "dg_advice": error.advice(lang)}
    return {sentence(label, lang): MetadataValue.text(text) for label, text in told.items() if text}


def tried_again(error: HubError, retry_number: int) -> bool:
    """True when a step with this error is tried again. ``retry_number``: how often it has been already."""
    return isinstance(error, RetryLater) and retry_number < RETRY.max_retries


def raise_for(error: HubError, lang: str, retry_number: int) -> NoReturn:
    """Fail or postpone the step."""
    if isinstance(error, RetryLater) and tried_again(error, retry_number):
        raise RouteLater(error, lang, retry_number + 1)
    raise RouteFailed(error, lang)

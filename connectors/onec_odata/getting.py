"""Getting one answer for a request: its address, the split into records, and what is tried when the address is refused.

Shared by all ways of reading one base; keeps what was learned about it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

from connectors.base import ReadRequest
from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.asking import Span, condition, order, select
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.rows import Body, split
from connectors.onec_odata.urls import JSON, build
from hub.model.errors import HubError, RetryLater, StopRoute

log = logging.getLogger("obmen.onec")

#: From this length on an address may be refused by the web server and never reach 1C: IIS takes 2048 characters of
#: query by default, and each Cyrillic letter of a field's name is six of them.
LONG = 1500
_REFUSED = {"not_onec", "source_error"}
_CUT_RETRIES = 2

Got = TypeVar("Got")


class Getting(Protocol):  # pragma: no cover - a declaration
    """The part of ``Transport`` that reading needs."""

    @property
    def root(self) -> str:
        """Address of the service."""

    def get(self, url: str, asked: Asked, accept: str = "application/json", limit: int | None = None) -> Answer:
        """See ``Transport.get``."""


class Getter:
    """Asks one base through ``transport``."""

    def __init__(self, settings: OneCSettings, transport: Getting) -> None:
        self.settings = settings
        self.transport = transport
        self._all_fields: set[tuple[str, tuple[str, ...]]] = set()

    def asked(self, request: ReadRequest, table: str = "") -> Asked:
        """What an error should say that was asked for."""
        return Asked(self.settings.name, request.stream, table)

    def url(self, request: ReadRequest, *more: tuple[str, str], span: Span | None = None) -> str:
        """Address of the set, narrowed by the request to ``span``."""
        named = (
            self.selected(request),
            ("$filter", condition(request, span)),
            ("$orderby", order(request)),
            self.allowed,
        )
        options = [("$format", JSON), *(option for option in named if option[1]), *more]
        return build(self.transport.root, request.stream, options)

    def selected(self, request: ReadRequest) -> tuple[str, str]:
        """``$select``, empty where the web server did not let its address through."""
        return "$select", "" if (request.stream, request.fields) in self._all_fields else select(request)

    @property
    def allowed(self) -> tuple[str, str]:
        """``allowedOnly``, if the settings ask for it."""
        return "allowedOnly", "true" if self.settings.allowed_only else ""

    def fetch(self, url: str, asked: Asked, limit: int | None) -> tuple[Answer, Body]:
        """Get and split; a body cut in the middle by the base itself (with a good length) is asked for again.

        ``TooBig`` past ``limit`` bytes.
        """
        for remaining in range(_CUT_RETRIES, -1, -1):
            answer = self.transport.get(url, asked, limit=limit)
            try:
                return answer, split(answer, asked)
            except RetryLater as error:
                if error.code != "page_cut" or not remaining:
                    raise
        raise AssertionError("unreachable")

    def selected_or_all(self, request: ReadRequest, url: Callable[[], str], get: Callable[[str], Got]) -> Got:
        """What ``get`` makes of the address; when the web server refuses a long one, once more without ``$select``.

        All fields come then, which is slow, but they come.
        """
        address = url()
        try:
            return get(address)
        except HubError as error:
            if error.code not in _REFUSED or len(address) < LONG or not request.fields:
                raise
            self._forgo(request, len(address))
            if (shorter := url()) == address:
                raise
        return get(shorter)

    def _forgo(self, request: ReadRequest, length: int) -> None:
        """From now on all fields of the set are asked for."""
        known = (request.stream, request.fields)
        if known in self._all_fields:
            return
        self._all_fields.add(known)
        log.warning(
            "%s: the web server refuses an address of %d characters, %s is read with all its fields "
            "(raise maxQueryString of the publication)",
            self.settings.name,
            length,
            request.stream,
        )

    def too_big(self, request: ReadRequest) -> StopRoute:
        """One record, or a table that cannot be divided, is more than the hub takes at once."""
        return StopRoute("record_too_big", system=self.settings.name, stream=request.stream)

"""Reading single records by key.

Many at once go in groups through ``$filter`` (a request of 1C costs more than the records in it); that a record does
not exist is believed from nothing but 1C's own answer to its address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec

from connectors.base import ReadRequest, StreamInfo
from connectors.onec_odata.answers import misfit
from connectors.onec_odata.getting import Getter
from connectors.onec_odata.rows import lone, sight
from connectors.onec_odata.urls import JSON, build, guid, text
from connectors.web import TooBig
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page

#: How long an address with a group of keys may get: IIS takes 2048 characters of query by default.
LONGEST = 2000
#: What one more key adds: `` or Ref_Key eq guid'…'``, percent-encoded.
_EACH = 66
#: The group was too much or was not understood: its records are asked for one by one.
_APART = {"source_memory", "source_timeout", "source_error", "not_onec"}
_PLAIN = {"Edm.Int64", "Edm.Int32", "Edm.Int16", "Edm.Byte", "Edm.Double", "Edm.Decimal"}

Done = TypeVar("Done")


def literal(kind: str, value: str) -> str:
    """A value of a key as an address writes it, by its Edm type."""
    if kind == "Edm.Guid":
        return guid(value.replace("'", "''"))
    if kind == "Edm.DateTime":
        return f"datetime{text(value)}"
    if kind == "Edm.Boolean":
        return value.lower()
    return value if kind in _PLAIN else text(value)


class Single:
    """Single records of one base; ``streams`` tells the types of keys of several fields."""

    def __init__(self, getter: Getter, streams: Callable[[], Mapping[str, StreamInfo]]) -> None:
        self._getter = getter
        self._streams = streams

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Those that are there, and those that 1C says do not exist. Anything else is raised."""
        if request.table != "set":
            raise StopRoute("single_unreadable", system=self._getter.settings.name, stream=request.stream)
        wanted = list(dict.fromkeys(external_ids))
        found: dict[str, msgspec.Raw] = {}
        nbytes = 0
        groups = [group for group in self._groups(request, wanted) if len(group) > 1]
        for rows, size in self._side_by_side([partial(self._group, request, group) for group in groups]):
            found |= rows
            nbytes += size
        left = [external for external in wanted if external.casefold() not in found]
        gone: list[str] = []
        ones = self._side_by_side([partial(self._one, request, external) for external in left])
        for external, one in zip(left, ones, strict=True):
            if one is None:
                gone.append(external)
            else:
                found[external.casefold()] = one
                nbytes += len(bytes(one))
        return Page(request.stream, list(found.values()), gone, {}, last=True, nbytes=nbytes)

    def _groups(self, request: ReadRequest, wanted: list[str]) -> Iterator[list[str]]:
        """As many keys together as an address holds; keys of several fields go alone."""
        if request.key != ("Ref_Key",):
            return
        room = LONGEST - len(self._address(request, []))
        size = max(1, room // _EACH)
        for begin in range(0, len(wanted), size):
            yield wanted[begin : begin + size]

    def _address(self, request: ReadRequest, group: list[str]) -> str:
        chosen = " or ".join(f"Ref_Key eq {literal('Edm.Guid', external)}" for external in group)
        named = [("$filter", chosen), self._getter.selected(request), self._getter.allowed, ("$top", str(len(group)))]
        options = [("$format", JSON), *(option for option in named if option[1])]
        return build(self._getter.transport.root, request.stream, options)

    def _group(self, request: ReadRequest, group: list[str]) -> tuple[dict[str, msgspec.Raw], int]:
        """Those of ``group`` that come together, by key in lower case; the others are to be asked for alone."""
        asked = self._getter.asked(request)
        look, keys = sight(request.key, asked), {external.casefold() for external in group}
        get = partial(self._getter.fetch, asked=asked, limit=4 * self._getter.settings.page_bytes)
        try:
            answer, body = self._getter.selected_or_all(request, lambda: self._address(request, group), get)
        except TooBig:
            return {}, 0
        except HubError as error:
            if error.code not in _APART:
                raise
            return {}, 0
        rows = {look(raw)[0][0].casefold(): raw for raw in body.rows}
        return {key: raw for key, raw in rows.items() if key in keys}, len(answer.body)

    def _one(self, request: ReadRequest, external: str) -> msgspec.Raw | None:
        """One record by its address; ``None`` when 1C says that it does not exist."""
        asked = self._getter.asked(request)
        path = f"{request.stream}({self._key(request, external)})"

        def url() -> str:
            options = [("$format", JSON), *([chosen] if (chosen := self._getter.selected(request))[1] else [])]
            return build(self._getter.transport.root, path, options)

        try:
            answer = self._getter.selected_or_all(request, url, lambda url: self._getter.transport.get(url, asked))
        except StopRoute as error:
            if error.code != "unknown_object":
                raise
            return None
        try:
            record = lone(answer.content)
            sight(request.key, asked)(record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise misfit(answer, asked) from None
        return record

    def _key(self, request: ReadRequest, external: str) -> str:
        if request.key == ("Ref_Key",):
            return literal("Edm.Guid", external)
        info, values = self._streams().get(request.stream), external.split("|")
        if info is None or len(values) != len(request.key):
            raise StopRoute("single_unreadable", system=self._getter.settings.name, stream=request.stream)
        pairs = zip(request.key, values, strict=True)
        return ",".join(f"{name}={literal(info.fields.get(name, 'Edm.String'), value)}" for name, value in pairs)

    def _side_by_side(self, jobs: list[Callable[[], Done]]) -> list[Done]:
        """Results in order, as many under way as there are sessions; the first fault ends what has not begun."""
        lanes = min(self._getter.settings.max_sessions, len(jobs))
        if lanes <= 1:
            return [job() for job in jobs]
        with ThreadPoolExecutor(lanes, thread_name_prefix="onec-fetch") as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

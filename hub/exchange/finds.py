"""Small catalogues of a base in which mappings find keys (kinds of contact information, our company): read once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.base import ReadRequest
from hub.model.errors import StopRoute
from mappings.finds import KEY, PASSED_OVER, Found, asked

if TYPE_CHECKING:
    from connectors.base import Connector
    from mappings.compiled import CompiledMapping, CompiledProfile

log = logging.getLogger("obmen.exchange")


@dataclass(slots=True)
class Shelf:
    """What one process has read of one system. A catalogue that the system does not let us read finds nothing."""

    connector: Connector
    profile: CompiledProfile
    page_size: int
    records: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def found(self, mappings: Iterable[CompiledMapping]) -> Found:
        """Answers to the look-ups of these mappings; reads what was not read before. ``RetryLater``, ``StopSystem``."""
        fields = asked(mapping.spec for mapping in self.profile.mappings.values())
        wanted = asked(mapping.spec for mapping in mappings)
        for stream in wanted:
            if stream not in self.records:
                self.records[stream] = self._read(stream, fields[stream])
        return Found({stream: self.records[stream] for stream in wanted})

    def _read(self, stream: str, fields: tuple[str, ...]) -> list[Mapping[str, Any]]:
        info = self.connector.streams().get(stream)
        if info is None:
            return []  # published no more since the mappings were fitted
        flags = tuple(flag for flag in PASSED_OVER if flag in info.fields)
        request = ReadRequest(stream, (*fields, *flags), (KEY,), page_size=self.page_size)
        try:
            return [msgspec.json.decode(raw) for page in self.connector.read(request) for raw in page.records]
        except StopRoute as error:
            log.warning("%s cannot be read: %s", stream, error.code)
            return []

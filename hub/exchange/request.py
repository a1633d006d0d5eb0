"""The request that reads what a mapping needs of its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.base import ReadRequest

if TYPE_CHECKING:
    from hub.model.settings import SystemSettings
    from mappings.compiled import CompiledMapping


def record_request(mapping: CompiledMapping, system: SystemSettings) -> ReadRequest:
    """All that the mapping reads of its stream, without a window."""
    return ReadRequest(
        mapping.stream,
        mapping.select,
        mapping.key,
        mapping.table,
        None,
        mapping.date_field or "",
        None,
        system.page_size,
    )

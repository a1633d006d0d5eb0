"""A base frozen in memory: what the stand would send, copied once through the real connector and mappings.

Tests that need many runs (crashes, races) read it without HTTP; field names and values are the stand's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from connectors.base import ReadRequest, StreamInfo
from connectors.memory import MemoryBase
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from mappings.compiled import CompiledMapping, compile_profile
from mappings.finds import asked
from stand.onec.server import OneCStand

Frozen = dict[str, dict[str, Any]]


def freeze(stand: OneCStand, user: str, password: str, profile_name: str = "onec_ut11") -> Frozen:
    """Every stream of a profile, and those that it finds keys in, in the form of ``MemoryBase.load``; values that a
    mapping itself gives need none.
    """
    connector = OneC(OneCSettings(code="ut", url=stand.url, user=user, password=password), None)
    streams = connector.streams()
    profile = compile_profile(profile_name, "Europe/Moscow", None, streams)
    try:
        mappings = [m for m in profile.mappings.values() if not m.spec.given]
        found = {name(m): _stream(connector, m, streams[name(m)]) for m in mappings}
        for stream, fields in asked(m.spec for m in mappings).items():
            if stream not in found:
                found[stream] = _read(connector, ReadRequest(stream, fields), streams[stream])
        return found
    finally:
        connector.close()


def name(mapping: CompiledMapping) -> str:
    """Name of the stream a mapping reads, as connectors tell it."""
    return mapping.stream if mapping.table == "set" else f"{mapping.stream}#{mapping.table}"


def _stream(connector: OneC, mapping: CompiledMapping, info: StreamInfo) -> dict[str, Any]:
    request = ReadRequest(
        mapping.stream, mapping.select, mapping.key, mapping.table, date_field=mapping.date_field or ""
    )
    return _read(connector, request, info)


def _read(connector: OneC, request: ReadRequest, info: StreamInfo) -> dict[str, Any]:
    records = [msgspec.json.decode(raw) for page in connector.read(request) for raw in page.records]
    return {"fields": info.fields, "tables": info.tables, "key": list(request.key), "records": records}


def save(frozen: Frozen, path: Path) -> Path:
    """Write it where another process can load it from."""
    path.write_text(json.dumps(frozen, ensure_ascii=False), encoding="utf-8")
    return path


def load(frozen: Frozen) -> MemoryBase:
    """A base of its own with these records."""
    base = MemoryBase("frozen")
    for stream, part in frozen.items():
        base.define(stream, part["fields"], part["key"], part["tables"])
        for record in part["records"]:
            base.put(stream, dict(record))
    return base

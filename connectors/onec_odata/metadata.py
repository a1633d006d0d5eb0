"""``$metadata`` of a 1C base: parsed as a stream, kept by the hash of its bytes.

A whole trade configuration is 15 MB of EDMX with four thousand types, of which a run needs a few dozen; the document is
spooled to a temporary file, hashed, and parsed only when that hash was not met before.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import IO

import msgspec
from lxml import etree

from connectors.base import StreamInfo
from connectors.onec_odata.virtual import VIRTUAL
from connectors.onec_odata.xml import elements, local

log = logging.getLogger("obmen.onec")

#: Up to here the document stays in memory, beyond it goes to a temporary file.
SPOOL = 4 << 20
#: Raised when the parser learns to see more: cached results of older parsers are not used.
_FORMAT = 3
_TAGS = ("EntityType", "ComplexType", "Association", "EntitySet", "FunctionImport")
_COLLECTION = "Collection("
_KEPT = 8
#: Row types of virtual tables that nothing reads.
_UNREAD = ("_DrCrTurnover", "_ExtDimensions", "_RecordsWithExtDimensions")
_TABLES = {function: table for table, function in VIRTUAL.items()}


class _Type(msgspec.Struct):
    """An entity or complex type: own properties with types, key, navigation (property → association)."""

    fields: dict[str, str]
    key: tuple[str, ...] = ()
    links: dict[str, tuple[str, str]] = {}


class _Found(msgspec.Struct):
    """What one pass over the document collects, before names are resolved."""

    types: dict[str, _Type] = {}
    sets: dict[str, str] = {}
    ends: dict[tuple[str, str], str] = {}
    functions: list[tuple[str, str, str]] = []


class Metadata(msgspec.Struct, frozen=True):
    """What a base publishes. ``digest``: of the document's bytes. Virtual tables are streams named ``set#table``."""

    digest: str
    streams: dict[str, StreamInfo]


def spool() -> IO[bytes]:
    """A place for the document that is gone when it is closed."""
    return tempfile.SpooledTemporaryFile(max_size=SPOOL)


def load(document: IO[bytes], cache: Path | None = None) -> Metadata:
    """Parse ``document``, or take the result from ``cache`` (a folder) when the same bytes were parsed before.

    ``NotXml`` when it is no well-formed XML.
    """
    digest = _digest(document)
    kept = _kept(cache, digest) if cache else None
    if kept is not None and (known := _read(kept, digest)) is not None:
        return known
    metadata = Metadata(digest, parse(document))
    if kept is not None:
        _write(kept, metadata)
    return metadata


def believed(cache: Path, root: str, seconds: float) -> Metadata | None:
    """What ``root`` published when it was last asked, if that is less than ``seconds`` ago and still kept."""
    note = _note(cache, root)
    try:
        digest, at = note.read_text(encoding="ascii"), note.stat().st_mtime
    except (OSError, UnicodeDecodeError):
        return None
    return _read(_kept(cache, digest), digest) if 0 <= time.time() - at < seconds else None


def remember(cache: Path, root: str, digest: str) -> None:
    """``root`` publishes this now."""
    try:
        _note(cache, root).write_text(digest, encoding="ascii")
    except OSError as error:
        log.warning("the metadata cache %s cannot be written: %s", cache, error.strerror)


def doubt(cache: Path, root: str) -> None:
    """``root`` may publish something else by now: what it published last is believed no more."""
    _note(cache, root).unlink(missing_ok=True)


def _note(cache: Path, root: str) -> Path:
    return cache / f"published-{hashlib.sha256(root.encode()).hexdigest()[:32]}.txt"


def _kept(cache: Path, digest: str) -> Path:
    return cache / f"metadata-{_FORMAT}-{digest[:32]}.json"


def _digest(document: IO[bytes]) -> str:
    document.seek(0)
    digest = hashlib.sha256()
    while part := document.read(1 << 16):
        digest.update(part)
    return digest.hexdigest()


def _read(path: Path, digest: str) -> Metadata | None:
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Metadata)
    except (OSError, msgspec.DecodeError):
        return None
    return known if known.digest == digest else None


def _write(path: Path, metadata: Metadata) -> None:
    """Keep a result; a cache that cannot be written costs time, not the run."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(msgspec.json.encode(metadata))
        Path(file.name).replace(path)
        by_age = sorted(path.parent.glob("metadata-*.json"), key=lambda old: old.stat().st_mtime)
        for old in by_age[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("the metadata cache %s cannot be written: %s", path.parent, error.strerror)


def parse(document: IO[bytes]) -> dict[str, StreamInfo]:
    """Streams by name: every entity set, and the virtual tables bound to it."""
    found = _Found()
    for element in elements(document, tuple(f"{{*}}{tag}" for tag in _TAGS)):
        _collect(found, element)
    sets = {kind: name for name, kind in reversed(found.sets.items())}
    streams = {name: _stream(found, sets, name, kind) for name, kind in found.sets.items()}
    for bound, function, row in found.functions:
        table, stream = _TABLES.get(function), sets.get(bound)
        if table and stream and row in found.types:
            name = f"{stream}#{table}"
            streams[name] = _stream(found, sets, name, row)
    return streams


def _collect(found: _Found, element: etree._Element) -> None:
    name, tag = str(element.get("Name", "")), local(str(element.tag))
    if tag in {"EntityType", "ComplexType"}:
        if not name.endswith(_UNREAD):
            found.types[name] = _type(element)
    elif tag == "EntitySet":
        found.sets[name] = _bare(str(element.get("EntityType", "")))
    elif tag == "Association":
        for end in _children(element, "End"):
            found.ends[name, str(end.get("Role", ""))] = _bare(str(end.get("Type", "")))
    elif tag == "FunctionImport" and name in _TABLES:
        parameters = _children(element, "Parameter")
        bound = [_bare(str(p.get("Type", ""))) for p in parameters if p.get("Name") == "bindingParameter"]
        target = bound[0] if bound else str(element.get("EntitySetPath", ""))
        found.functions.append((target, name, _bare(str(element.get("ReturnType", "")))))


def _type(element: etree._Element) -> _Type:
    properties = _children(element, "Property")
    # The same few names and types stand thousands of times in a big configuration.
    fields = {intern(str(p.get("Name", ""))): intern(str(p.get("Type", ""))) for p in properties}
    parts = (part for keys in _children(element, "Key") for part in _children(keys, "PropertyRef"))
    key = tuple(str(part.get("Name", "")) for part in parts)
    links = {
        str(p.get("Name", "")): (_bare(str(p.get("Relationship", ""))), str(p.get("ToRole", "")))
        for p in _children(element, "NavigationProperty")
    }
    return _Type(fields, key, links)


def _children(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    return (child for child in element if local(str(child.tag)) == tag)


def _bare(name: str) -> str:
    """``Collection(StandardODATA.X)`` and ``StandardODATA.X`` as ``X``."""
    return name.removeprefix(_COLLECTION).removesuffix(")").partition(".")[2] or name


def _stream(found: _Found, sets: dict[str, str], name: str, kind: str) -> StreamInfo:
    """``sets``: the set that holds each entity type."""
    own = found.types.get(kind, _Type({}))
    fields, tables, refs = {}, {}, {}
    for field, edm in own.fields.items():
        row = found.types.get(_bare(edm)) if edm.startswith(_COLLECTION) else None
        if row is None:
            fields[field] = edm
        else:
            tables[field] = row.fields
    for field, role in own.links.items():
        target = sets.get(found.ends.get(role, ""))
        if target and f"{field}_Key" in fields:
            refs[f"{field}_Key"] = target
    return StreamInfo(name, fields, tables, own.key, refs)

"""The compiled form of mappings: what the exchange calls.

``compile_profile`` reads the files of a profile once and turns each into a ``CompiledMapping``: typed decoding, then
generated functions for skipping, collecting references and emitting canonical rows in travelling form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from connectors.base import StreamInfo
from hub.model import fields as model_fields
from hub.model import identity
from hub.model.entities import Child, Entity
from hub.model.errors import SkipRecord
from hub.model.records import Reject
from mappings import contact, makers, reverse, runtime, structs
from mappings.generate import child_fields, generate, streams_of
from mappings.live import fit
from mappings.problems import Problem
from mappings.profile import in_order, read_profile
from mappings.scope import all_fields, merge, reference_codes, root_reads, table_reads
from mappings.spec import MappingSpec


@dataclass(frozen=True, slots=True)
class RefTarget:
    """A record of the same system that another one refers to. ``factor``: of a unit, how many of what it is made of it
    is, 1 for one that is made of nothing; ``None`` where nobody knows, and for other records.
    """

    stream: str
    external_id: str
    factor: Fraction | None = field(default=None, compare=False)


@dataclass(slots=True)
class Mapped:
    """One record in canonical form.

    ``root``: values in the order of ``CompiledMapping.root_columns``. ``children``: aligned with
    ``CompiledMapping.children``; the rows of a *lines* child begin with their number, those of a set are distinct by
    its key and keep their order.
    """

    record_state: str
    root: tuple[Any, ...]
    children: tuple[list[tuple[Any, ...]], ...]


@dataclass(frozen=True, slots=True)
class ChildMapping:
    """A child table that a mapping fills; ``columns`` without the parent's id and without the number column."""

    child: Child
    columns: tuple[str, ...]


class CompiledMapping:
    """One mapping of one profile in one time zone, ready to run. Holds no connection and no state of a run."""

    def __init__(self, spec: MappingSpec, timezone: str) -> None:
        self.spec = spec
        self.name = spec.name
        self.profile = spec.profile
        self.stream = spec.stream
        self.table = spec.table
        self.entity: Entity = spec.entity
        self.key = spec.key
        self.version_field = spec.version
        self.deleted_field = spec.deleted
        self.date_field = spec.date
        self.total_field = spec.total
        #: The stream's own "changed at", by which only what changed since can be asked for; empty where it has none.
        self.changed_field = spec.changed or ""
        #: Tells mappings of one stream and table apart.
        self.part = spec.part
        #: The last days that a virtual table is computed for, today's included; ``None``: all there is.
        self.period = spec.period
        #: The records themselves (JSON objects) where the file tells them: there is nothing to be read in a base.
        self.given = spec.given
        self.absent = spec.absent
        #: Source names that the base does not publish and that the mapping does without.
        self.left_out = spec.left_out
        #: Streams in which keys of new records and rows cannot be found here.
        self.unseen = spec.unseen
        self.root_columns = tuple(item.field.column for item in spec.fields) + (("ext",) if spec.ext else ())
        self.children = tuple(
            ChildMapping(child.child, tuple(item.column for item in child_fields(child))) for child in spec.children
        )
        self._streams = tuple(streams_of(all_fields(spec)))
        self.ref_streams = frozenset(self._streams)
        self.timezone = timezone
        #: Local time to UTC and back.
        self.clock = runtime.Clock(timezone)
        self._build(timezone)
        #: Root fields, and columns of child tables by child, that ``mappings.backward`` can tell the source.
        self.writable = reverse.writable(spec)
        self.writable_children = reverse.writable_children(spec)

    def _build(self, timezone: str) -> None:
        spec = self.spec
        tables = {part: structs.Shape("Row", merge(pairs)[0]) for part, pairs in table_reads(spec).items()}
        self._shape = structs.Shape("Record", merge(root_reads(spec))[0], tables)
        #: How each source name that is read stands in JSON (``Part.Name`` of a tabular part): see ``spec.WIRES``.
        self.wires = {
            **self._shape.wires,
            **{f"{part}.{name}": wire for part, shape in tables.items() for name, wire in shape.wires.items()},
        }
        self._decoder = structs.Decoder(self._shape, reference_codes(spec))
        self._heads = structs.Heads(spec.key, spec.version)
        dated = [spec.version, spec.date, spec.total, spec.changed]
        self.select = tuple(dict.fromkeys([*self._shape.attributes, *filter(None, dated)]))
        code = generate(spec, self._shape)
        #: The generated functions as text, for those who want to see them.
        self.source = code.source
        namespace: dict[str, Any] = {**_NAMESPACE, **code.constants}
        namespace |= {"hours": self.clock.hours, "moment": self.clock.moment, "days": runtime.days()}
        namespace |= {"external_id": self._external_id, "broken": self._broken}
        # Safe: the text holds no word of the mapping file, see mappings.writer.
        exec(compile(code.source, f"<mapping {spec.name}>", "exec"), namespace)  # noqa: S102
        self._emit, self._gather = namespace["emit"], namespace["gather"]
        self._needs = namespace["needs"]
        #: Why a decoded record is passed over (``folder`` …), or ``None``.
        self.skip_reason: Callable[[Any], str | None] = namespace["skip"]
        required = [item for item in all_fields(spec) if item.required]
        self._required_streams = tuple(streams_of(required))
        #: Streams that ``required`` may name: only a record missing from one of these makes another one wait.
        self.required_streams = frozenset(self._required_streams)
        constants = {name: _stable(value) for name, value in code.constants.items()}
        parts = (code.source, constants, self._shape.wires, [(n, t.wires) for n, t in tables.items()], timezone)
        rest = (
            reference_codes(spec),
            spec.key,
            spec.version,
            spec.table,
            spec.period,
            self.root_columns,
            [c.columns for c in self.children],
        )
        digest = blake2b(repr((parts, rest)).encode() + _machinery(), digest_size=8).digest()
        self.fingerprint = int.from_bytes(digest, "big")

    def head(self, raw: Any) -> tuple[str, str | None]:
        """External id and version of a raw record; ``SkipRecord`` with code ``no_key`` or ``bad_json``."""
        head = self._heads.head(raw)
        if isinstance(head, Reject):
            raise SkipRecord(head.code, head.field, head.value)
        return head  # type: ignore[no-any-return]

    def heads(self, raws: Sequence[Any]) -> list[tuple[str, str | None] | Reject]:
        """``head`` of many, with a ``Reject`` where there is none."""
        return self._heads.heads(raws)

    def decode(self, raws: Sequence[Any], external_ids: Sequence[str]) -> list[Any]:
        """A struct or a ``Reject`` per raw record, in order."""
        return self._decoder.decode(raws, external_ids)

    def collect(self, items: Sequence[Any]) -> dict[str, set[str]]:
        """Every reference of these items that is not empty: external ids by stream."""
        found: dict[str, set[str]] = {stream: set() for stream in self._streams}
        self._gather(items, {stream: ids.add for stream, ids in found.items()})
        for ids in found.values():
            ids.difference_update(runtime.EMPTY)
        return {stream: ids for stream, ids in found.items() if ids}

    def required(self, item: Any) -> list[RefTarget]:
        """The references without which this record has to wait, those of its lines included; each once."""
        found: dict[RefTarget, None] = {}

        def adder(stream: str) -> Any:
            return lambda value: None if value in runtime.EMPTY else found.setdefault(RefTarget(stream, value))

        self._needs((item,), {stream: adder(stream) for stream in self._required_streams})
        return list(found)

    def emit(self, items: Sequence[Any], links: Mapping[str, Mapping[str, int]]) -> list[Mapped | Reject]:
        """Canonical rows per item. ``links`` must hold a link id for everything ``collect`` named."""
        return self._emit(items, links)  # type: ignore[no-any-return]

    def _external_id(self, item: Any) -> str:
        parts = [getattr(item, self._shape.attributes[name]) or "" for name in self.key]
        return "|".join(str(part) for part in parts)

    def _broken(self, item: Any, error: Exception) -> Reject:
        name, value = self._shape.unusable(item)
        if not name:
            raise error
        return Reject(self._external_id(item), "bad_number", name, str(value)[:200])


@dataclass(slots=True)
class CompiledProfile:
    """``mappings`` in load order, references first; ``paused``: what keeps a mapping from running on this base."""

    name: str
    timezone: str
    mappings: dict[str, CompiledMapping] = field(default_factory=dict)
    paused: dict[str, list[Problem]] = field(default_factory=dict)


def compile_profile(
    profile: str, timezone: str, overlay: Path | None = None, streams: Mapping[str, StreamInfo] | None = None
) -> CompiledProfile:
    """Compile a shipped profile with a site's ``overlay``, fitted to what a base publishes (``streams``) if given.

    ``timezone``: IANA name of the base's zone. Raises ``MappingInvalid`` with every problem of the files, and
    ``NeedsPerson(unknown_profile)``.
    """
    return compile_specs(profile, timezone, read_profile(profile, overlay), streams)


def compile_specs(
    profile: str, timezone: str, specs: Sequence[MappingSpec], streams: Mapping[str, StreamInfo] | None = None
) -> CompiledProfile:
    """The same for mappings that are read already."""
    result = CompiledProfile(profile, timezone)
    fitted: list[MappingSpec] = []
    for spec in specs:
        here, problems = (spec, []) if streams is None else fit(spec, streams)
        if problems:
            result.paused[spec.name] = problems
        else:
            fitted.append(here)
    for spec in in_order(fitted):
        result.mappings[spec.name] = CompiledMapping(spec, timezone)
    return result


_NAMESPACE: dict[str, Any] = {
    "Mapped": Mapped,
    "Bad": runtime.Bad,
    "rejected": structs.rejected,
    "EMPTY": runtime.EMPTY,
    "NOTHING": runtime.EMPTY | {"0001-01-01T00:00:00"},
    "NO_LINKS": {},
    "MISS": runtime.MISS,
    "MMSS": runtime.MMSS,
    "floor": math.floor,
    **{
        name: getattr(runtime, name)
        for name in ("bad", "lost", "exact", "integer", "int_text", "day", "numbered", "distinct", "ext_json")
    },
}


def _stable(value: Any) -> str:
    """A constant as a text that is the same in every process."""
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else repr(value)


@cache
def _machinery() -> bytes:
    """Digest of the code that generated functions call: when it changes, so may results."""
    digest = blake2b(digest_size=8)
    for module in (model_fields, identity, contact, makers, runtime, structs):
        digest.update(Path(str(module.__file__)).read_bytes().replace(b"\r\n", b"\n"))
    return digest.digest()

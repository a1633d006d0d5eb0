"""Answers one OData request: finds what the path names, reads or writes it, chooses the format.

Knows nothing of sockets, logins or faults; ``stand.onec.server`` wraps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stand.onec import atomout, edmx, jsonout
from stand.onec.errors import (
    OUT_OF_MEMORY, ODataError, bad_option, instance_not_found, method_not_found, not_allowed, segment_not_found,
    set_not_found,
)  # fmt: skip
from stand.onec.model import EMPTY_REF, NAMESPACE, EntitySet, Kind, Shape
from stand.onec.projection import Projection, project
from stand.onec.query import Options, Reader, options, ordered, page
from stand.onec.quirks import Quirks
from stand.onec.syntax import Parser
from stand.onec.evaluate import Compiler
from stand.onec.urls import Segment, arguments, key_in, pairs, segments, stored_key, unquoted
from stand.onec.virtual import balance, slice_last, turnovers
from stand.onec.world import Record, World, rows_of

XML = "application/xml;charset=utf-8"
FEED = "application/atom+xml;type=feed;charset=utf-8"
ENTRY = "application/atom+xml;type=entry;charset=utf-8"
PLAIN = "text/plain;charset=utf-8"
VIRTUAL = frozenset({"Balance", "Turnovers", "BalanceAndTurnovers", "SliceLast", "SliceFirst"})
_PARAMETERS = ("Period", "Condition", "Dimensions")


@dataclass(frozen=True, slots=True)
class Request:
    """``path``: below the service root, still percent-encoded. ``headers``: names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """Status, body, and headers beside Content-Type and Content-Length."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """The format of the answer: ``json`` with a level of detail, or Atom."""

    json: bool
    detail: str = "minimalmetadata"

    @property
    def content_type(self) -> str:
        """Of a JSON answer."""
        return f"application/json;odata={self.detail};charset=utf-8"


def form_of(asked: Mapping[str, str], accept: str) -> Form:
    """``$format`` wins over Accept; Atom is the default. Code 14 for an unknown format."""
    text = asked.get("$format", "").lower().replace(" ", "")
    if not text:
        text = "json" if "application/json" in accept.lower() else "atom"
        if "odata=" in accept and text == "json":
            text = f"application/json;odata={accept.partition('odata=')[2].split(';')[0].split(',')[0].strip()}"
    if text in ("atom", "application/atom+xml", "xml", "application/xml"):
        return Form(json=False)
    detail = text.partition("odata=")[2] or "minimalmetadata"
    if text.split(";")[0] not in ("json", "application/json") or detail not in jsonout.DETAILS:
        raise bad_option("$format", asked.get("$format", ""))
    return Form(json=True, detail=detail)


class Engine:
    """The service of one base under one address."""

    def __init__(self, world: World, root: str, quirks: Quirks | None = None) -> None:
        self.world = world
        self.root = root
        self.quirks = quirks or Quirks()
        self.reader = Reader(world)
        self.metadata = edmx.document(world.model)

    def handle(self, request: Request) -> Response:
        """The answer; every refusal of 1C's becomes its error body."""
        form = Form(json="json" in request.query or "json" in request.headers.get("accept", ""))
        try:
            asked = pairs(request.query)
            form = form_of(asked, request.headers.get("accept", ""))
            with self.world.lock:
                return self._route(request, asked, form)
        except ODataError as error:
            return self.refuse(error, form)

    def refuse(self, error: ODataError, form: Form) -> Response:
        """The error body in the format of the request."""
        if form.json:
            return Response(error.status, form.content_type, jsonout.error(error.code, error.text))
        return Response(error.status, XML, atomout.error(error.code, error.text))

    def _route(self, request: Request, asked: dict[str, str], form: Form) -> Response:
        steps = segments(request.path)
        if request.method not in ("GET", "HEAD"):
            raise not_allowed(request.method)
        if not steps:
            empty = self.quirks.empty_service_list
            if form.json:
                return Response(200, form.content_type, jsonout.service(self.world.model, self.root, empty))
            return Response(200, "application/atomsvc+xml;charset=utf-8", atomout.service(self.world.model, self.root, empty))
        if steps[0].name == "$metadata":
            return Response(200, XML, self.metadata)
        item = self.world.model.sets.get(steps[0].name)
        if item is None or self.quirks.empty_service_list:
            raise set_not_found(steps[0].name)
        return self._read(item, steps, asked, form)

    def _read(self, item: EntitySet, steps: list[Segment], asked: dict[str, str], form: Form) -> Response:
        inside, rest = steps[0].inside, steps[1:]
        if inside is not None and inside.strip():
            return self._one(item, inside, rest, asked, form)
        if not rest:
            return self._collection(item, self.reader.select(item, self._options(asked)), asked, form)
        if rest[0].name == "$count":
            if self.quirks.count_unusable:
                raise ODataError(400, 6, "Сегмент пути $count не найден!")
            found = self.reader.select(item, self._options(asked))
            return Response(200, PLAIN, str(len(found)).encode())
        if rest[0].name in VIRTUAL:
            return self._virtual(item, rest[0], asked, form)
        raise segment_not_found(rest[0].name)

    def _options(self, asked: dict[str, str]) -> Options:
        parsed = options(asked)
        if self.quirks.inlinecount_ignores_top and parsed.count:
            parsed = replace(parsed, top=None, skip=0)
        return replace(parsed, skip=0) if self.quirks.ignore_skip else parsed

    def _collection(self, item: EntitySet, found: list[Record], asked: dict[str, str], form: Form) -> Response:
        parsed = self._options(asked)
        fields = project(item, parsed.select)
        chosen = page(found, parsed)
        limit = self.quirks.memory_error_over_rows
        if limit and len(chosen) > limit:
            raise ODataError(500, -1, OUT_OF_MEMORY)
        count = len(found) if parsed.count else None
        if form.json:
            body = jsonout.collection(self.world, fields, chosen, form.detail, self.root, count)
            return Response(200, form.content_type, body)
        entries = (atomout.entry(self.world, fields, record, self.root) for record in chosen)
        return Response(200, FEED, atomout.feed(entries, self.root, count))

    def find(self, item: EntitySet, inside: str) -> Record:
        """The record a key names. Code 9 when there is none."""
        key = key_in(item, inside)
        if item.kind in ("table", "recordset", "records"):
            rows = self.reader.results.get(("", item.name), lambda: list(self.reader.source(item)))
            found = next((row for row in rows if all(row.get(n) == key[n] for n in item.key)), None)
        else:
            found = self.world.get(item.name, stored_key(item, key))
        if found is None:
            raise instance_not_found()
        return found

    def _one(
        self, item: EntitySet, inside: str, rest: list[Segment], asked: dict[str, str], form: Form
    ) -> Response:
        record = self.find(item, inside)
        if not rest:
            return self.answer_one(item, record, project(item, options(asked).select), form)
        name = rest[0].name
        prop = item.shape.by_name.get(name)
        if name in item.tables and prop is not None:
            rows = [{"Ref_Key": record.get("Ref_Key"), **row} for row in rows_of(record.get(name))]
            owner = self.world.model.sets.get(f"{item.name}_{name}")
            if owner is None:
                raise segment_not_found(name)
            return self._collection(owner, rows, asked, form)
        if prop is not None:
            value = record.get(name, prop.empty)
            if form.json:
                return Response(200, form.content_type, jsonout.dump({"odata.metadata": f"{self.root}/$metadata", "value": value}))
            return Response(200, XML, f"<d:{name}>{value}</d:{name}>".encode())
        target, key = self._follow(item, record, name)
        return self._one(target, f"guid'{key}'", rest[1:], asked, form)

    def _follow(self, item: EntitySet, record: Record, name: str) -> tuple[EntitySet, str]:
        """Where a navigation property leads; code 9 when it is empty."""
        prop = item.shape.by_name.get(f"{name}_Key")
        if prop is not None and prop.kind is Kind.REF and prop.targets[0] in self.world.model.sets:
            target = prop.targets[0]
        else:
            raise segment_not_found(name)
        key = record.get(prop.name, EMPTY_REF)
        if key == EMPTY_REF:
            raise instance_not_found()
        return self.world.model.sets[target], key

    def answer_one(
        self, item: EntitySet, record: Record, fields: Projection, form: Form, status: int = 200
    ) -> Response:
        """One record in the format asked for."""
        if form.json:
            return Response(status, form.content_type, jsonout.single(self.world, fields, record, form.detail, self.root))
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{atomout.entry(self.world, fields, record, self.root, alone=True)}'
        return Response(status, ENTRY, body.encode())

    def _virtual(self, item: EntitySet, step: Segment, asked: dict[str, str], form: Form) -> Response:
        given = arguments(step.inside or "")
        given |= {n: unquoted(n, asked[n]) for n in _PARAMETERS if n in asked}
        if step.name == "Balance":
            key = ("Balance", item.name, *sorted(given.items()))
            shape = balance_shape(self.world, item, given)
            rows = self.reader.results.get(key, lambda: balance(self.world, item, given)[1])
            return self._rows(EntitySet(shape.name, "virtual", shape, ()), rows, asked, form)
        if step.name in ("SliceLast", "SliceFirst"):
            key = (step.name, item.name, *sorted(given.items()))
            source, first = self.reader.source, step.name == "SliceFirst"
            rows = self.reader.results.get(key, lambda: slice_last(self.world, item, given, source(item), first=first))
            return self._rows(EntitySet(item.name, "virtual", item.shape, item.key), rows, asked, form)
        raise turnovers(item, step.name)

    def _rows(self, item: EntitySet, rows: list[Record], asked: dict[str, str], form: Form) -> Response:
        """Options applied to the rows of a virtual table; these really are sorted."""
        parsed = self._options(asked)
        if parsed.filter:
            test = Compiler(self.world, item.name, item.shape, {}).predicate(Parser(parsed.filter).parse())
            rows = [row for row in rows if test(row)]
        if parsed.orderby:
            rows = ordered(self.world, replace_kind(item), rows, parsed.orderby)
        return self._collection(item, rows, asked, form)


def replace_kind(item: EntitySet) -> EntitySet:
    """Rows of a virtual table have no presentation: order them as records with a key do."""
    return EntitySet(item.name, "independent", item.shape, item.key)


def balance_shape(world: World, item: EntitySet, given: dict[str, str]) -> Shape:
    """The columns of a balance, without computing it."""
    from stand.onec.virtual import _chosen_shape, _dimensions

    register = item.register
    if register is None or register.kind != "balance" or item.kind != "recordset":
        raise method_not_found("Balance")
    return _chosen_shape(register, _dimensions(register, given.get("Dimensions", "")))


__all__ = ["NAMESPACE", "Engine", "Form", "Request", "Response", "form_of"]

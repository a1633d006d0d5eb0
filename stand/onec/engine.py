"""Answers one OData request: finds what the path names, reads or writes it, chooses the format.

Knows nothing of sockets, logins or faults; ``stand.onec.server`` wraps it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from stand.onec import atomin, atomout, edmx, jsonout
from stand.onec.drift import convert, published, reshaped
from stand.onec.errors import (
    OUT_OF_MEMORY,
    ODataError,
    instance_not_found,
    not_allowed,
    segment_not_found,
    set_not_found,
)
from stand.onec.evaluate import Compiler
from stand.onec.expanding import expanded, paths
from stand.onec.feed import FUNCTIONS, Exchange
from stand.onec.model import EMPTY_REF, EntitySet, Kind
from stand.onec.projection import Projection, project
from stand.onec.query import Options, Reader, options, ordered, page
from stand.onec.quirks import Quirks
from stand.onec.syntax import Parser
from stand.onec.urls import Segment, arguments, key_in, pairs, segments, stored_key, unquoted
from stand.onec.veil import hidden
from stand.onec.virtual import METHODS, PARAMETERS, table
from stand.onec.virtual_accounting import table as accounting_table
from stand.onec.volume import Volume
from stand.onec.wire import ENTRY, FEED, PLAIN, SERVICE, XML, Form, Request, Response, form_of, refusal
from stand.onec.world import Record, World, rows_of
from stand.onec.writes import Writer, parsed

_LOAD_MODE = "1c_odata-dataloadmode"


class Engine:
    """The service of one base under one address."""

    def __init__(self, world: World, root: str, quirks: Quirks | None = None) -> None:
        self.world = world
        self.root = root
        self.quirks = quirks or Quirks()
        self.reader = Reader(world)
        self.writer = Writer(world, self.quirks)
        self.exchange = Exchange(world)
        self.whole = self.published = world.model
        self.metadata = edmx.document(world.model)
        self.volumes: dict[str, Volume] = {}
        self._drift: tuple[tuple[str, ...], dict[str, str]] = ((), {})

    def prepare(self) -> None:
        """Follow ``quirks.unpublished`` and ``retyped``. ``ValueError`` names what the base does not have."""
        asked = (self.quirks.unpublished, self.quirks.retyped)
        if asked == self._drift:
            return
        with self.world.lock:
            model = reshaped(self.whole, *asked)
            self.published = published(model, self.quirks.unpublished)
            convert(self.world, {n: edm for n, edm in self.quirks.retyped.items() if n not in self._drift[1]})
            self.world.model = model
            self.world.version += 1
            self.metadata = edmx.document(self.published)
            self.exchange.fields.clear()
            self.world.unpublished = frozenset(model.sets.keys() - self.published.sets.keys())
            self._drift = (asked[0], dict(asked[1]))

    def refuse(self, error: ODataError, query: str, headers: Mapping[str, str]) -> Response:
        """An error in the form that this request would be answered in."""
        accept = headers.get("accept", "")
        return refusal(error, Form(json="json" in query or "json" in accept), encoded=self.quirks.base64_messages)

    def handle(self, request: Request) -> Response:
        """The answer; every refusal of 1C's becomes its error body."""
        accept = request.headers.get("accept", "")
        form = Form(json="json" in request.query or "json" in accept)
        self.prepare()
        try:
            asked = pairs(request.query)
            form = form_of(asked, accept)
            with self.world.lock:
                return self._route(request, segments(request.path), asked, form)
        except ODataError as error:
            return refusal(error, form, encoded=self.quirks.base64_messages)

    def _route(self, request: Request, steps: list[Segment], asked: dict[str, str], form: Form) -> Response:
        reading = request.method in ("GET", "HEAD")
        if steps and steps[0].name in FUNCTIONS and not reading:
            return self.exchange.handle(steps[0].name, asked, self.root)
        if not steps or steps[0].name == "$metadata":
            if not reading:
                raise not_allowed(request.method)
            return Response(200, XML, self.metadata) if steps else self._service(form)
        item = self.published.sets.get(steps[0].name)
        if item is None or self.quirks.empty_service_list:
            raise set_not_found(steps[0].name)
        volume = self.volumes.get(item.owner or item.name)
        if volume is not None:
            return self._packed(volume, item, steps, asked, form, reading=reading)
        return self._read(item, steps, asked, form) if reading else self._write(request, item, steps, asked, form)

    def serve(self, volume: Volume) -> None:
        """Answer reads of that set from its packed file."""
        volume.quirks = self.quirks
        self.volumes[volume.item.name] = volume

    def _packed(
        self, volume: Volume, item: EntitySet, steps: list[Segment], asked: dict[str, str], form: Form, *, reading: bool
    ) -> Response:
        if not reading:
            raise not_allowed("POST, PATCH, PUT, DELETE")
        if item.owner:
            raise ODataError(501, 21, f"В упакованном наборе стенда нет {item.name}")
        return volume.read(steps, self._options(asked), form, self.root)

    def _service(self, form: Form) -> Response:
        model, empty = self.published, self.quirks.empty_service_list
        if form.json:
            return Response(200, form.content_type, jsonout.service(model, self.root, empty))
        return Response(200, SERVICE, atomout.service(model, self.root, empty))

    def _write(
        self, request: Request, item: EntitySet, steps: list[Segment], asked: dict[str, str], form: Form
    ) -> Response:
        """POST of a set, PATCH/PUT/DELETE of an entity, POST of Post or Unpost; the answer is the whole object."""
        method, inside, headers = request.method, steps[0].inside or "", request.headers
        version = headers.get("if-match", "") if self.quirks.if_match_checked else ""
        load_mode = headers.get(_LOAD_MODE, "").lower() == "true"
        if method == "POST" and len(steps) == 2:
            given = arguments(steps[1].inside or "") | asked
            self.writer.post(item, inside, steps[1].name, given.get("PostingModeOperational", ""))
            return Response(200, PLAIN, b"")
        if len(steps) > 1:
            raise segment_not_found(steps[1].name)
        if method == "POST" and not inside:
            record, status = self.writer.create(item, _body(request), str(uuid.uuid4()), load_mode=load_mode)
            response = self.answer_one(item, record, project(item, ()), form, status)
            response.headers["Location"] = self.writer.location(item, record, self.root)
            return response
        if method in ("PATCH", "PUT") and inside:
            whole = method == "PUT"
            record = self.writer.change(item, inside, _body(request), version, whole=whole, load_mode=load_mode)
            return self.answer_one(item, record, project(item, ()), form)
        if method == "DELETE" and inside:
            self.writer.remove(item, inside, version, load_mode=load_mode)
            return Response(204, PLAIN, b"")
        raise not_allowed(method)

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
        if rest[0].name in METHODS:
            return self._virtual(item, rest[0], asked, form)
        raise segment_not_found(rest[0].name)

    def _options(self, asked: dict[str, str]) -> Options:
        parsed = options(asked)
        if self.quirks.inlinecount_ignores_top and parsed.count:
            parsed = replace(parsed, top=None, skip=0)
        return replace(parsed, skip=0) if self.quirks.ignore_skip else parsed

    def _collection(self, item: EntitySet, found: list[Record], asked: dict[str, str], form: Form) -> Response:
        parsed = self._options(asked)
        levels = self.quirks.expand_levels
        fields = expanded(self.world, item, parsed.select, paths(parsed.expand), levels)
        chosen = page(found, parsed)
        if self.quirks.too_large(item.name, rows=len(chosen)):
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

    def _one(self, item: EntitySet, inside: str, rest: list[Segment], asked: dict[str, str], form: Form) -> Response:
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
                body = jsonout.dump({"odata.metadata": f"{self.root}/$metadata", "value": value})
                return Response(200, form.content_type, body)
            return Response(200, XML, f"<d:{name}>{value}</d:{name}>".encode())
        target, key = self._follow(item, record, name)
        return self._one(target, f"guid'{key}'", rest[1:], asked, form)

    def _follow(self, item: EntitySet, record: Record, name: str) -> tuple[EntitySet, str]:
        """Where a navigation property leads; code 9 when it is empty."""
        prop = item.shape.by_name.get(f"{name}_Key")
        if prop is not None and prop.kind is Kind.REF and not hidden(self.world, prop.targets[0]):
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
            body = jsonout.single(self.world, fields, record, form.detail, self.root)
            return Response(status, form.content_type, body)
        return Response(status, ENTRY, atomout.single(self.world, fields, record, self.root))

    def _virtual(self, item: EntitySet, step: Segment, asked: dict[str, str], form: Form) -> Response:
        given = arguments(step.inside or "") | {n: unquoted(n, asked[n]) for n in PARAMETERS if n in asked}
        if item.register is not None and item.register.kind == "accounting":
            found = accounting_table(self.world, item, step.name, given)
        else:
            found = table(self.world, item, step.name, given, self.reader.source)
        rows = self.reader.results.get((step.name, item.name, *sorted(given.items())), found.make)
        return self._rows(EntitySet(found.name, "virtual", found.shape, found.key), rows, asked, form)

    def _rows(self, item: EntitySet, rows: list[Record], asked: dict[str, str], form: Form) -> Response:
        """Options applied to the rows of a virtual table; these really are sorted."""
        parsed = self._options(asked)
        if parsed.filter:
            test = Compiler(self.world, item.name, item.shape, {}).predicate(Parser(parsed.filter).parse())
            rows = [row for row in rows if test(row)]
        if parsed.orderby:
            # Such rows have no presentation: they are ordered as records with a key are.
            plain = EntitySet(item.name, "independent", item.shape, item.key)
            rows = ordered(self.world, plain, rows, parsed.orderby)
        return self._collection(item, rows, asked, form)


def _body(request: Request) -> Record:
    """The fields that a write brings, from JSON or Atom."""
    if atomin.is_atom(request.body, request.headers.get("content-type", "")):
        return atomin.parsed(request.body)
    return parsed(request.body)

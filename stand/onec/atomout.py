"""Atom answers: the default format, the only one of a change feed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from stand.onec.model import NAMESPACE, Kind, Model
from stand.onec.projection import Projection
from stand.onec.urls import link
from stand.onec.veil import veil
from stand.onec.world import Record, World

_DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"
_META = f"{_DATA}/metadata"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACES = f'xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns:d="{_DATA}" '
_SPACES += f'xmlns:m="{_META}"'


def _text(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return escape(str(value))


def _field(name: str, value: Any) -> str:
    text = _text(value)
    return f"<d:{name}>{text}</d:{name}>" if text else f"<d:{name}/>"


def _paired(row: Record) -> Iterator[tuple[str, Any]]:
    """Fields with the type of a composite reference right behind it, as Atom writes them."""
    for name, value in row.items():
        if name.endswith("_Type") and name[:-5] in row:
            continue
        yield name, value
        if f"{name}_Type" in row:
            yield f"{name}_Type", row[f"{name}_Type"]


def _table(fields: Projection, name: str, rows: list[Record]) -> str:
    kind = NAMESPACE + fields.item.shape.by_name[name].rows_type
    if not rows:
        return f'<d:{name} m:type="Collection({kind})"/>'
    # A recorded feed writes LineNumber first and leaves the owner's key out of rows; records keep their recorder.
    body = "".join(
        f'<d:element m:type="{kind}">{"".join(_field(n, v) for n, v in _paired(row) if n != "Ref_Key")}</d:element>'
        for row in rows
    )
    return f'<d:{name} m:type="Collection({kind})">{body}</d:{name}>'


def entry(world: World, fields: Projection, record: Record, root: str, *, alone: bool = False) -> str:
    """One entry; ``alone`` adds the namespaces that a feed would declare."""
    item, plain = fields.item, fields.plain(record)
    veil(world, item.shape, item.tables, plain)
    own = link(item, record) if item.key else ""
    links = "".join(
        f'<link rel="{_DATA}/related/{name}" href={quoteattr(f"{own}/{name}")} '
        f'type="application/atom+xml;type=entry;charset=utf-8" title="{name}"/>'
        for name in (fields.references(world, record) if own else ())
    )
    tables = {prop.name for prop in item.shape.props if prop.kind is Kind.ROWS}
    body = "".join(_table(fields, n, v) if n in tables else _field(n, v) for n, v in _paired(plain))
    head = f' {_SPACES} xml:base="{escape(root)}/"' if alone else ""
    return (
        f"<entry{head}><id>{escape(f'{root}/{own}')}</id>"
        f'<category term="{NAMESPACE}{item.name}" scheme="{_DATA}/scheme"/><title type="text"/>'
        f"<updated>{_now()}</updated><author/><summary/>{links}"
        f'<link rel="edit" href={quoteattr(own)} title="edit-link"/>'
        f'<content type="application/xml"><m:properties xmlns:d="{_DATA}" xmlns:m="{_META}">{body}</m:properties>'
        "</content></entry>"
    )


def single(world: World, fields: Projection, record: Record, root: str) -> bytes:
    """One record as a document of its own."""
    return (_XML + entry(world, fields, record, root, alone=True)).encode()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def feed(entries: Iterable[str], root: str, count: int | None = None, deleted: Iterable[str] = ()) -> bytes:
    """A feed of entries; ``deleted``: relative addresses of records that are gone (RFC 6721)."""
    total = "" if count is None else f"<m:count>{count}</m:count>"
    gone = "".join(f'<at:deleted-entry ref={quoteattr(f"{root}/{own}")} when="{_now()}"/>' for own in deleted)
    return f'{_XML}<feed {_SPACES} xml:base="{escape(root)}/">{total}{"".join(entries)}{gone}</feed>'.encode()


def service(model: Model, root: str, empty: bool) -> bytes:
    """The service document as atompub."""
    names = () if empty else model.sets
    sets = "".join(f'<collection href="{n}"><atom:title>{n}</atom:title></collection>' for n in names)
    return (
        f'{_XML}<service xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" '
        f'xml:base="{escape(root)}/"><workspace><atom:title>Default</atom:title>{sets}</workspace></service>'
    ).encode()


def error(code: int, text: str) -> bytes:
    """The error body."""
    return (
        f'{_XML}<m:error xmlns:m="{_META}"><m:code>{code}</m:code><m:message xml:lang="ru">{escape(text)}</m:message>'
        "</m:error>"
    ).encode()

"""What persons have decided about records in quarantine, and for how long it holds.

A record that a person left out (``skipped``) is passed over as long as its source sends it in that very form. So is
one that a person corrected (``corrected``): what stands here is the correction, and the source still sends what was
wrong. Once the source sends another form the decision ends (``superseded``) and the record is taken as any other.

Two forms are the same when the values that the mapping reads are: a feed and a read of the set spell one record
differently, and a new version number alone is no change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update
from xxhash import xxh3_64_hexdigest

from hub.exchange.runs import now
from hub.store import bulk, core
from hub.store.quarantined import Quarantined
from mappings.runtime import Bad
from mappings.structs import plain

if TYPE_CHECKING:
    from hub.exchange.mapping_desk import MappingDesk
    from mappings.compiled import CompiledMapping

_TRUE = ("true", "1", "истина", "да")
_STANDS = ("skipped", "corrected")


def covers(conn: Connection, work: MappingDesk, raws: Mapping[str, Any]) -> dict[str, str]:
    """``skipped`` or ``corrected`` by external id, for those of ``raws`` that a decision covers in this form.

    Decisions that an arriving record shows to be about another form are ended; not where there is no key, since what
    arrives is then another record.
    """
    known = work.decisions(conn)
    asked = [external_id for external_id in raws if external_id in known] if known else []
    found: dict[str, str] = {}
    ended: list[int] = []
    for external_id, rows in _rows(conn, work, asked).items():
        state = _state(work.mapping, raws[external_id], rows)
        if state:
            found[external_id] = state
        elif external_id and not any(_made(row) == _hash(bytes(raws[external_id])) for row in rows):
            ended += [row.id for row in rows]
    if ended:
        table = core.quarantine
        conn.execute(update(table).where(table.c.id.in_(ended)).values(state="superseded", last_at=now()))
    return found


def _rows(conn: Connection, work: MappingDesk, external_ids: Sequence[str]) -> dict[str, list[Any]]:
    table, found = core.quarantine, defaultdict(list)
    for chunk in bulk.chunks(external_ids):
        query = select(table.c.id, table.c.external_id, table.c.state, table.c.payload, table.c.params).where(
            table.c.route_id == work.route_id,
            table.c.state.in_(_STANDS),
            table.c.stream_id == work.stream_id,
            table.c.external_id.in_(chunk),
        )
        for row in conn.execute(query):
            found[row.external_id].append(row)
    return found


def _state(mapping: CompiledMapping, raw: Any, rows: Sequence[Any]) -> str:
    states = {row.state for row in rows if same_form(mapping, raw, row.payload or "")}
    return next((state for state in _STANDS if state in states), "")


def same_form(mapping: CompiledMapping, raw: Any, payload: str) -> bool:
    """Whether a raw record says what the kept one said, as far as the mapping reads it."""
    if bytes(raw).decode("utf-8", errors="replace") == payload:
        return True
    said = _form(mapping, raw)
    return said is not None and said == _form(mapping, payload.encode())


def _form(mapping: CompiledMapping, raw: Any) -> Any:
    try:
        data = plain(raw)
    except Bad:
        return None
    if not isinstance(data, dict):
        return None
    parts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, wire in mapping.wires.items():
        part, _, field = name.rpartition(".")
        parts[part].append((field, wire))
    return [
        _values(data, names) if not part else [_values(row, names) for row in _table(data.get(part))]
        for part, names in parts.items()
    ]


def _table(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(row: Any, names: Sequence[tuple[str, str]]) -> list[Any]:
    return [_value(wire, row.get(name)) for name, wire in names] if isinstance(row, dict) else [row]


def _value(wire: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if wire == "bool":
        return str(value).lower() in _TRUE
    if wire in {"number", "int"}:
        try:
            return float(value)
        except (TypeError, ValueError):
            return str(value)
    return value if isinstance(value, (list, dict)) else str(value)


def _hash(raw: bytes) -> str:
    return xxh3_64_hexdigest(raw)


def _made(row: Any) -> str:
    """Of the record that a person's correction made: it comes again when what it waited for has come."""
    return str((row.params or {}).get("decided", {}).get("made", ""))


def skip(conn: Connection, work: MappingDesk, rows: Sequence[Quarantined], by: str, run_id: int) -> None:
    """Leave open records out from now on."""
    if not rows:
        return
    table, at = core.quarantine, now()
    told = {"decision": "skip", "by": by, "at": at.isoformat()}
    conn.execute(
        update(table)
        .where(table.c.id == bindparam("number"))
        .values(state="skipped", params=bindparam("told"), last_run=run_id, last_at=at),
        [{"number": row.id, "told": {**row.params, "decided": told}} for row in rows],
    )
    ids = {row.external_id for row in rows}
    work.troubled(conn)[0].difference_update(ids)
    work.decisions(conn).update(ids)


def correct(
    conn: Connection, work: MappingDesk, row: Quarantined, made: bytes, after: str, by: str, run_id: int
) -> None:
    """Keep the form that the source sends beside the corrected one, which is about to be replayed.

    A record that is corrected step by step, field by field, keeps the one form that came from its source.
    """
    table, at = core.quarantine, now()
    step = {"by": by, "at": at.isoformat(), "field": row.field, "before": row.value, "after": after}
    earlier = next(
        (
            found
            for found in _rows(conn, work, [row.external_id]).get(row.external_id, ())
            if found.state == "corrected" and _made(found) == _hash(row.payload.encode())
        ),
        None,
    )
    params = dict(earlier.params if earlier is not None else row.params)
    steps = params.get("decided", {}).get("steps", ()) if earlier is not None else ()
    params["decided"] = {
        "decision": "correct",
        "by": by,
        "at": step["at"],
        "made": _hash(made),
        "steps": [*steps, step],
    }
    if earlier is not None:
        conn.execute(update(table).where(table.c.id == earlier.id).values(params=params, last_run=run_id, last_at=at))
    else:
        source = select(table).where(table.c.id == row.id)
        kept = dict(conn.execute(source).mappings().one())
        del kept["id"]
        conn.execute(
            insert(table).values(kept | {"state": "corrected", "params": params, "last_run": run_id, "last_at": at})
        )
    work.decisions(conn).add(row.external_id)


def reopen(conn: Connection, work: MappingDesk, rows: Sequence[Quarantined]) -> set[int]:
    """Take back that records were left out; ids of the rows. Where another form stands open already, it is not."""
    table, back = core.quarantine, set[int]()
    standing = work.troubled(conn)[0]
    for row in rows:
        if row.external_id in standing:
            continue
        params = {name: value for name, value in row.params.items() if name != "decided"}
        conn.execute(update(table).where(table.c.id == row.id).values(state="open", params=params))
        standing.add(row.external_id)
        back.add(row.id)
    return back

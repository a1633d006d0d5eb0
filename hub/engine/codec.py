"""A contribution as the store keeps it: three JSON objects that say each thing once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.engine.cells import Contribution, Moment, Own, Value

#: The key of what holds for the whole object; no path is empty.
_ALL = ""


def encode(contribution: Contribution) -> dict[str, Any]:
    """The columns ``own``, ``shown`` and ``sent``.

    ``own``: under the empty path the usual moment, then paths that are shown and not its word; by path each word that
    is not the usual one: ``v`` (the value, where it is not what is shown), ``t``, ``s``, ``x`` (when it was said, first
    filled, cleared). A cell that is filled and was not sent has the usual word. ``shown``, ``sent``: by path; under the
    empty path those that are empty, and those that show exactly what was sent.
    """
    shown = {path: value for path, value in contribution.shown.items() if value is not None}
    silent = sorted(contribution.shown.keys() - shown.keys())
    usual = Counter((own.when.first, own.when.last) for own in contribution.own.values()).most_common(1)
    common = usual[0][0] if usual else (0, 0)
    said = contribution.voiced
    cells = {path: _cell(one, contribution.shown.get(path), common) for path, one in contribution.own.items()}
    own: dict[str, Any] = {path: cell for path, cell in cells.items() if cell or path not in said}
    mute = sorted(said - contribution.own.keys())
    same = sorted(path for path, value in contribution.sent.items() if value == contribution.shown.get(path))
    sent = {path: value for path, value in contribution.sent.items() if path not in same}
    return {
        "own": {_ALL: [*common, *mute], **own} if said or own else {},
        "shown": {_ALL: silent, **shown} if silent else shown,
        "sent": {_ALL: same, **sent} if same else sent,
    }


def decode(
    link_id: int, system: str, row: Mapping[str, Any], *, primary: bool = True, origin: bool = False
) -> Contribution:
    """The contribution of a stored row; what the link is comes from the link."""
    shown = {path: _value(value) for path, value in row["shown"].items() if path != _ALL}
    shown |= dict.fromkeys(row["shown"].get(_ALL, ()))
    sent = {path: _value(value) for path, value in row["sent"].items() if path != _ALL}
    sent |= {path: shown.get(path) for path in row["sent"].get(_ALL, ())}
    first, last, *mute = row["own"].get(_ALL, (0, 0))
    bare = Contribution(link_id, system, {}, shown, sent, primary, origin)
    cells: dict[str, Any] = {path: {} for path in bare.voiced - {*mute}} | row["own"]
    own = {path: _own(cell, shown.get(path), Moment(first, last)) for path, cell in cells.items() if path != _ALL}
    return replace(bare, own=own)


def _pair(moment: Moment) -> tuple[int, int]:
    return (moment.first, moment.last)


def _cell(own: Own, shown: Value, common: tuple[int, int]) -> dict[str, Any]:
    cell: dict[str, Any] = {}
    if own.value != shown:
        cell["v"] = own.value
    if _pair(own.when) != common:
        cell["t"] = _pair(own.when)
    if own.since != own.when:
        cell["s"] = _pair(own.since)
    if own.cleared is not None:
        cell["x"] = _pair(own.cleared)
    return cell


def _own(cell: Mapping[str, Any], shown: Value, common: Moment) -> Own:
    when = Moment(*cell["t"]) if "t" in cell else common
    value = _value(cell["v"]) if "v" in cell else shown
    return Own(value, when, Moment(*cell["s"]) if "s" in cell else when, Moment(*cell["x"]) if "x" in cell else None)


def _value(value: Any) -> Value:
    """Rows come back from JSON as lists."""
    return tuple(_value(part) for part in value) if isinstance(value, list) else value

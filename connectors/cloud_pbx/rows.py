"""From rows of a service to whole calls: a row is a leg, legs of one call are one record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from connectors.cloud_pbx.moments import moment, seconds
from connectors.cloud_pbx.service import Names, Row, Service, Shape, Words
from connectors.recordings import Recording
from connectors.telephony.call import Call, Direction, Disposition, Someone
from hub.model.phones import Handle, read_phone

#: Of legs that were not answered: what is said of the call, the first that any of them has.
_UNANSWERED = ("voicemail", "no_answer", "busy", "cancelled", "failed")


@dataclass(slots=True)
class Leg:
    """One row, read. ``started``: ``None`` where it cannot be read, which makes the record one for the quarantine."""

    call: str
    started: datetime | None
    direction: str
    outcome: str
    client: str
    ours: str
    agent: str
    name: str
    talk: int
    wait: int | None
    total: int | None
    cause: str
    queue: str
    recordings: list[str] = field(default_factory=list)
    link: str = ""

    @property
    def ended(self) -> datetime | None:
        """By its whole length where that is told, else by what is known of it."""
        length = self.total if self.total is not None else (self.wait or 0) + self.talk
        return self.started + timedelta(seconds=length) if self.started else None


def leg_of(row: Row, shape: Shape, zone: ZoneInfo) -> Leg:
    """A row as its description reads it."""
    told = shape.prepare(row) if shape.prepare else row
    talk = seconds(_first(told, shape.talk)) or 0
    link, found = _text(told, shape.link), _first(told, shape.recordings)
    outcome = _word(told, shape.outcome) or ("answered" if talk else "no_answer")
    return Leg(
        call=_text(told, shape.call) or _hashed(told, shape.hashed),
        started=moment(_first(told, shape.started), shape.moment, zone),
        direction=_word(told, shape.direction) or _text(told, shape.direction.names),
        outcome=outcome,
        client=_text(told, shape.client),
        ours=_text(told, shape.ours),
        agent=_text(told, shape.agent),
        name=_text(told, shape.name),
        talk=talk if outcome == "answered" else 0,
        wait=seconds(_first(told, shape.wait)),
        total=seconds(_first(told, shape.total)),
        cause=_text(told, shape.cause),
        queue=_text(told, shape.queue),
        recordings=[str(one) for one in (found if isinstance(found, list) else [found]) if one],
        link=link,
    )


def legs_of(rows: Iterable[Row], service: Service, zone: ZoneInfo) -> dict[str, list[Leg]]:
    """Legs by call. A row that came twice (a page that moved on, a call that ended meanwhile) counts as it came last.

    Where a call is one row its id alone tells it apart; where it is several, the moment and the people of each do.
    """
    found: dict[str, dict[tuple[object, ...], Leg]] = {}
    for row in rows:
        leg = leg_of(row, service.shape, zone)
        own = (leg.started, leg.client, leg.agent) if service.margin else ()
        found.setdefault(leg.call, {})[own] = leg
    return {call: list(legs.values()) for call, legs in found.items()}


def record_of(
    legs: Sequence[Leg], service: Service, system: str, zone: ZoneInfo, area_code: str
) -> tuple[datetime | None, dict[str, Any]]:
    """When the call began and its record; one without a moment is left to the mapping to refuse."""
    dated = sorted((leg for leg in legs if leg.started), key=lambda leg: (leg.started, leg.agent))
    if not dated:
        return None, {"id": legs[0].call, "key": f"{system}:{legs[0].call}", "start": None, "started_at": None}
    call = _whole(dated, service, area_code)
    return call.started, call.record(system, zone)


def _whole(legs: Sequence[Leg], service: Service, area_code: str) -> Call:
    first, talked = legs[0], [leg for leg in legs if leg.outcome == "answered"]
    started = cast("datetime", first.started)
    outcome = "answered" if talked else next((o for o in _UNANSWERED if any(leg.outcome == o for leg in legs)), "")
    call = Call(
        first.call,
        cast("Direction", first.direction),
        cast("Disposition", outcome or first.outcome),
        started,
        max(leg.ended for leg in legs if leg.ended),
        _people(first, talked, area_code),
        line=_number(first.ours, area_code),
        did=_number(first.ours, area_code) if first.direction == "inbound" else "",
        queue=next((leg.queue for leg in legs if leg.queue), ""),
        agent=next((leg.agent for leg in talked if leg.agent), ""),
        talk_s=sum(leg.talk for leg in talked),
        transferred=len({leg.agent for leg in talked if leg.agent}) > 1,
        legs=len(legs),
        hangup_cause=legs[-1].cause,
        recording=_recording(legs, service.name),
    )
    _waits(call, legs, talked)
    return call


def _waits(call: Call, legs: Sequence[Leg], talked: Sequence[Leg]) -> None:
    """How long it rang: to the answer where somebody answered, else the longest that anybody's telephone rang."""
    if not talked:
        call.ring_s = max((leg.wait for leg in legs if leg.wait is not None), default=None)
        return
    answered = talked[0]
    call.ring_s = answered.wait
    if answered.wait is not None and answered.started is not None:
        call.wait_s = round((answered.started - call.started).total_seconds()) + answered.wait


def _people(first: Leg, talked: Sequence[Leg], area_code: str) -> list[Someone]:
    """Client and line as caller and callee by the direction, and who of ours talked."""
    client = read_phone(first.client, area_code)
    ours = _handle(first.ours, area_code) or _handle(first.agent, area_code)
    sides = {
        "outbound": [("callee", client), ("caller", ours)],
        "internal": [("caller", client), ("callee", _handle(first.agent, area_code))],
    }.get(first.direction, [("caller", client), ("callee", ours)])
    found = [Someone(cast("Any", role), handle) for role, handle in sides if handle is not None]
    agents: dict[str, Someone] = {}
    for leg in talked:
        handle = _handle(leg.agent or leg.name, area_code)
        if handle is not None:
            agents.setdefault(handle.norm, Someone("agent", handle, "" if leg.name == leg.agent else leg.name))
    return found + list(agents.values())


def _handle(text: str, area_code: str) -> Handle | None:
    return read_phone(text, area_code) if text else None


def _number(text: str, area_code: str) -> str:
    """A line as it is kept: E.164 where it is a number, else as the service writes it."""
    handle = _handle(text, area_code)
    return handle.norm if handle is not None and handle.kind == "phone" else text


def _recording(legs: Sequence[Leg], provider: str) -> str:
    """The reference; ids of several recordings have commas between them. A link that needs no key is none of ours."""
    ids = list(dict.fromkeys(one for leg in legs for one in leg.recordings))
    link = next((leg.link for leg in legs if leg.link), "")
    if not ids and not link:
        return ""
    return Recording(provider, ",".join(ids) or legs[0].call, link).text()


def _first(row: Row, names: Names) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _text(row: Row, names: Names) -> str:
    found = _first(row, names)
    return "" if found is None or isinstance(found, Mapping | list) else str(found).strip()


def _word(row: Row, words: Words) -> str:
    return words.words.get(_text(row, words.names).lower(), words.default)


def _hashed(row: Row, names: Names) -> str:
    """An id out of what never changes of a row; of one that has none of it, out of the whole row."""
    told = [str(row.get(name) or "") for name in names]
    text = "\x1f".join(told) if any(told) else repr(sorted((str(k), str(v)) for k, v in row.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]

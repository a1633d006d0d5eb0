"""``obmen why``: why a value is what it is, for an admin to read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, WAITS, WRONG, Call, Outcome
from hub.cli.parser import argument, command, option
from hub.texts import sentence

if TYPE_CHECKING:
    from hub.exchange.which import Found
    from hub.exchange.why_model import Cell, Event, Place, Said, Shown, Why

#: Earlier values that are shown of a field when the whole record is.
_EARLIER = 3


def commands(lang: str) -> list[click.Command]:
    """The command."""
    words = [argument("entity", "ENTITY", required=True), argument("ident", "ID", required=True)]
    every = option(lang, "--all", "every", is_flag=True)
    return [command(lang, "why", why, [*words, argument("field", "FIELD"), every])]


def why(call: Call, entity: str, ident: str, field: str | None = None, *, every: bool = False) -> Outcome:
    """Read the store; nothing is written, no system is asked. ``every``: all earlier values of all fields."""
    from hub.exchange.hub import Hub
    from hub.exchange.which import find
    from hub.exchange.why import why as told

    with Hub.open(call.home) as hub:
        with hub.store.read() as conn:
            found = find(conn, hub, entity, ident)
        if len(found) > 1:
            return _several(call, entity, ident, found)
        answer = told(hub, entity, str(found[0].record_id), field)
        text = _Text(call, hub.settings.company_timezone, None if every or field else _EARLIER)
        lines = list(text.record(answer))
    waiting = any(cell.questions or _waits(cell) for cell in answer.cells) or any(one.waits for one in answer.places)
    return Outcome(WAITS if waiting else DONE, asdict(answer), lines)


def _waits(cell: Cell) -> bool:
    return any(one.state in {"held", "failed"} for one in cell.shown)


def _several(call: Call, entity: str, ident: str, found: list[Found]) -> Outcome:
    """What there is to choose from."""
    lines = [call.text("why_several", ident=ident)]
    for one in found:
        keys = ", ".join(f"{system} {key}" for system, key in one.keys)
        lines.append(call.text("why_choice", record=one.record_id, label=one.label, state=one.state, keys=keys))
    lines.append(call.text("why_choose", entity=entity, record=found[0].record_id))
    return Outcome(WRONG, {"several": [asdict(one) for one in found]}, lines)


class _Text:
    """The answer in lines. ``earlier``: how many earlier values of a field; ``None``: all."""

    def __init__(self, call: Call, zone: str, earlier: int | None) -> None:
        self.call, self.zone, self.earlier = call, ZoneInfo(zone), earlier

    def record(self, answer: Why) -> Iterator[str]:
        say = self.call.text
        yield say("why_record", entity=answer.entity, record=answer.record_id, label=answer.label, state=answer.state)
        for place in answer.places:
            yield from self._place(place)
        for one in answer.merges:
            told = {"record": one.record_id, "label": one.label, "by": one.by, "run": one.run, "at": self._at(one.at)}
            why_so = f" ({one.reason or one.rule})" if one.reason or one.rule else ""
            keys = ", ".join(f"{system} {key}" for system, key in one.keys) or "—"
            yield "  " + say(f"why_merged_{one.op}", keys=keys, reason=why_so, **told)
        for event in answer.events:
            if event.op in {"insert", "link", "unlink"}:
                yield "  " + say(f"why_event_{event.op}", **self._event(event))
        for cell in answer.cells:
            yield from ("", *self._cell(cell))

    def _place(self, place: Place) -> Iterator[str]:
        told = {"system": place.system, "stream": place.stream, "id": place.external_id}
        if place.state in {"reserved", "expected"}:
            yield "  " + self.call.text("why_place_reserved", **told)
        else:
            yield "  " + self.call.text("why_place", at=self._at(place.read_at), **told)
        for kind, code, params in place.waits:
            yield "    " + self.call.text(f"why_waits_{kind}", reason=self._reason(code, params))

    def _cell(self, cell: Cell) -> Iterator[str]:
        say = self.call.text
        name = f"{cell.path} · {cell.label}" if self.call.lang == "ru" and cell.label != cell.path else cell.path
        yield say("why_cell", name=name, value=self._value(cell.value))
        yield "  " + self._rule(cell)
        if cell.stale:
            yield "  " + say("why_stale")
        if cell.together:
            yield "  " + say("why_together", group=cell.together.removeprefix("group "))
        for lost in cell.lost:
            yield "  " + say("why_lost", **self._said(lost))
        for one in cell.questions:
            told = {"system": one.system, "ours": self._value(one.ours), "theirs": self._value(one.theirs)}
            yield "  " + say("why_question", at=self._at(one.at), **told)
        if cell.change is not None:
            version = say("why_mapping", mapping=cell.mapping) if cell.mapping else ""
            yield "  " + say("why_run", **self._event(cell.change)) + version
        for shown in cell.shown:
            yield "  " + self._shown(shown)
        yield from self._earlier(cell)

    def _rule(self, cell: Cell) -> str:
        """Whose word it is, and by which rule."""
        say = self.call.text
        if cell.pin is not None:
            note = f" ({cell.pin.note})" if cell.pin.note else ""
            code = "why_pin_ends" if cell.pin.ends else "why_pin"
            return say(code, by=cell.pin.by, at=self._at(cell.pin.at), note=note)
        order = " → ".join(cell.order) or "—"
        if cell.rule in {"held", "kept", "nobody"}:
            return say(f"why_rule_{cell.rule}", system=cell.winner.system if cell.winner else "—")
        rule = say(f"rules_policy_{cell.rule}", order=order)
        if cell.winner is None:
            return say("why_rule_alone", rule=rule)
        return say("why_winner", rule=rule, **self._said(cell.winner))

    def _shown(self, one: Shown) -> str:
        """A system that shows something else, and why."""
        told = {"system": one.system, "shown": self._value(one.shown), "meant": self._value(one.meant)}
        if one.reason != "owed":
            return self.call.text(f"why_shows_{one.reason}", **told)
        reason = self._reason(one.code, {"system": one.system, **(one.params or {})}) if one.code else ""
        due = self.call.text("why_due", at=self._at(one.next_at)) if one.next_at else ""
        state = self.call.text(f"why_box_{one.state}") if one.state else self.call.text("why_box_none")
        return self.call.text("why_owed", reason=f": {reason}" if reason else "", state=state, due=due, **told)

    def _earlier(self, cell: Cell) -> Iterator[str]:
        """Earlier values, the newest first."""
        events = list(reversed(cell.history))
        for event in events[: self.earlier]:
            known = event.op in {"lost", "lost_task", "conflict", "pin", "unpin", "pin_ended", "unsaid"}
            yield "    " + self.call.text(f"why_was_{event.op}" if known else "why_was", **self._event(event))
        if self.earlier is not None and len(events) > self.earlier:
            yield "    " + self.call.text("why_more", number=len(events) - self.earlier)

    def _event(self, event: Event) -> dict[str, Any]:
        who = event.system or event.initiator or "—"
        mode = self.call.mode(event.mode).lower() if event.mode else "—"
        values = {"before": self._value(event.before), "after": self._value(event.after)}
        return {"run": event.run, "mode": mode, "who": who, "at": self._at(event.at), **values}

    def _said(self, one: Said) -> dict[str, Any]:
        """Who said what, when: an exact moment is known only where the system tells one."""
        if one.first is None:
            when = self.call.text("why_by", at=self._at(one.last))
        elif (one.last - one.first).total_seconds() <= 2:
            when = self._at(one.last)
        else:
            when = self.call.text("why_between", first=self._at(one.first), last=self._at(one.last))
        return {"system": one.system, "value": self._value(one.value), "when": when}

    def _value(self, text: str | None) -> str:
        return self.call.text("why_empty") if text is None else f"«{text}»" if self.call.lang == "ru" else f"“{text}”"

    def _at(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.zone):%d.%m.%Y %H:%M}" if at is not None else "—"

    def _reason(self, code: str, params: dict[str, Any]) -> str:
        return sentence(code, self.call.lang, **params).rstrip(".")

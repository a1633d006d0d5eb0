"""Legs to one call: whose it was, who answered, how long they talked, whether it went on to somebody else.

What a call was is told by legs that a *person* answered. A queue or a menu answers every call, so that "some leg is
answered" is true of calls that nobody took.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from connectors.telephony.call import Call, Direction, Disposition, Someone
from connectors.telephony.clock import zone_of
from connectors.telephony.columns import FIRST
from connectors.telephony.leg import Leg
from connectors.telephony.recordings import reference
from hub.model.phones import read_phone

#: A leg that ended so long before its telephones were to stop ringing was given up by the caller.
_EARLY = 2


@dataclass(slots=True)
class Facts:
    """What the log of queues and the log of channel events tell of a call besides its legs.

    ``queue``: the last one it stood in. ``hold_s``, ``ring_s``, ``talk_s``: of the answer there. ``left``: how it left
    unanswered. ``moved``: it was transferred. ``over``: its last channel is gone, no row will follow.
    """

    queue: str = ""
    hold_s: int | None = None
    ring_s: int | None = None
    talk_s: int | None = None
    left: Disposition | None = None
    moved: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Assembler:
    """``area_code``: of numbers dialled without one; ``monitor``: the folder of recordings; ``own``: numbers of
    ours, which an exchange may show as the caller of a call that we make.
    """

    zone: ZoneInfo
    area_code: str = ""
    monitor: str = ""
    own: frozenset[str] = frozenset()
    nothing: Facts = field(default_factory=Facts)

    def call(self, legs: Sequence[Leg], facts: Facts | None = None) -> Call:
        """The call of these legs (one at least, in order of their starts)."""
        facts = facts or self.nothing
        first = legs[0]
        answered = [leg for leg in legs if leg.answered]
        direction = self._direction(first)
        took = min(answered, key=lambda leg: leg.answered_at) if answered else None
        zone = zone_of(first.start, first.call, self.zone)
        told = Call(
            first.call,
            direction,
            "answered" if answered else _unanswered(legs, facts),
            first.start.replace(tzinfo=zone),
            max(leg.end for leg in legs).replace(tzinfo=zone),
            legs=len(legs),
            queue=facts.queue or next((leg.queue for leg in legs if leg.queue), ""),
            talk_s=_talk(answered),
            transferred=took is not None and (facts.moved or _moved(legs, took)),
            hangup_cause=next((leg.cause for leg in reversed(legs) if leg.cause), ""),
            recording=next((ref for leg in legs if (ref := self._recording(leg))), ""),
        )
        self._waited(told, legs, took, facts)
        self._people(told, first, sorted(answered, key=lambda leg: leg.answered_at))
        return told

    def _direction(self, first: Leg) -> Direction:
        """By the first leg alone: a transfer changes who calls whom, and not whose call it was."""
        caller = read_phone(first.caller, self.area_code)
        inside = first.inside
        if caller.norm in self.own:
            inside = True
        elif inside is None:
            inside = caller.kind in {"extension", "service"}
        if not inside:
            return "inbound"
        if first.to_inside is not None:
            return "internal" if first.to_inside else "outbound"
        return "outbound" if read_phone(first.dialled, self.area_code).kind == "phone" else "internal"

    def _recording(self, leg: Leg) -> str:
        return reference(leg.recording, self.monitor, leg.start) if leg.recording else ""

    @staticmethod
    def _waited(told: Call, legs: Sequence[Leg], took: Leg | None, facts: Facts) -> None:
        if took is None:
            rang = [leg for leg in legs if leg.person]
            whole = _seconds(max(leg.end for leg in legs) - legs[0].start)
            told.wait_s = whole if facts.hold_s is None else facts.hold_s
            told.ring_s = _seconds(max(leg.end for leg in rang) - min(leg.start for leg in rang)) if rang else 0
            return
        told.wait_s, told.ring_s = _seconds(took.answered_at - legs[0].start), _seconds(took.answered_at - took.start)
        if not took.queue:  # whoever left the queue and was answered elsewhere waited longer than the queue knows
            return
        told.wait_s = told.wait_s if facts.hold_s is None else facts.hold_s
        told.ring_s = told.ring_s if facts.ring_s is None else facts.ring_s
        if facts.talk_s is not None and not told.transferred:
            told.talk_s = facts.talk_s

    def _people(self, told: Call, first: Leg, answered: Sequence[Leg]) -> None:
        """Caller, callee, and who of ours talked, each once."""
        caller = read_phone(first.caller, self.area_code)
        name = "" if caller.kind == "hidden" else first.name
        told.people = [Someone("caller", caller, name)]
        if told.direction == "inbound":
            dialled = first.did or first.dialled
            did = read_phone(dialled, self.area_code)
            told.did = told.line = did.norm if did.kind == "phone" else first.did
            if did.kind != "hidden":
                told.people.append(Someone("callee", did))
            talked = [leg.person for leg in answered]
        elif told.direction == "outbound":
            told.people.append(Someone("callee", read_phone(first.dialled, self.area_code)))
            told.line = first.line
            talked = [first.caller, *(leg.person for leg in answered if leg.to_inside)]
        else:
            told.people.append(Someone("callee", read_phone(first.dialled, self.area_code)))
            talked = [leg.person for leg in answered]
        agents = dict.fromkeys(read_phone(person, self.area_code) for person in talked if person)
        told.people += [Someone("agent", handle) for handle in agents if handle.kind != "hidden"]
        told.agent = next((one.handle.norm for one in told.people if one.role == "agent"), "")


def _unanswered(legs: Sequence[Leg], facts: Facts) -> Disposition:
    if any(leg.outcome == "voicemail" for leg in legs):
        return "voicemail"
    if facts.left is not None:
        return facts.left
    last = legs[-1]
    rang = [leg.outcome for leg in legs if leg.person]
    if "cancelled" in rang or (last.queue and last.outcome == "no_answer") or _given_up(last):
        return "cancelled"
    if not rang or "no_answer" in rang:
        return "no_answer"
    return "busy" if "busy" in rang else "failed"


def _given_up(last: Leg) -> bool:
    """The caller hung up while telephones rang: they were to ring longer, and nothing came after."""
    if last.outcome != "no_answer" or last.timeout is None:
        return False
    return _seconds(last.end - last.start) <= last.timeout - _EARLY


def _talk(answered: Sequence[Leg]) -> int:
    """Seconds in which somebody talked; channels between two ends of one talk are not two talks."""
    total, until = 0, FIRST
    for leg in sorted(answered, key=lambda leg: leg.answered_at):
        begins = max(leg.answered_at, until)
        if leg.end > begins:
            total, until = total + _seconds(leg.end - begins), leg.end
    return total


def _moved(legs: Sequence[Leg], took: Leg) -> bool:
    """Whether somebody else was rung once a person had answered. Telephones of one queue are rung for it at once."""

    def after(leg: Leg) -> bool:
        same_queue = bool(leg.queue) and leg.queue == took.queue
        return bool(leg.person) and leg.person != took.person and leg.start > took.answered_at and not same_queue

    return any(leg.moved or after(leg) for leg in legs)


def _seconds(span: timedelta) -> int:
    return max(0, round(span.total_seconds()))

"""What the summary of an exchange holds: what was done, what needs a person, how fresh each system is.

Everything here is counts, codes and names of routes; neither values nor external ids of records enter it, so it may be
shown in Dagster, mailed and logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from hub.model.errors import HubError
from hub.model.records import Counters, PushCounters
from hub.reports.reasons import why
from hub.store.comms_figures import Figures

Verdict = Literal["none", "running", "good", "attention", "failed"]
Severity = Literal["red", "yellow"]

#: A system that has not been read for longer than a night and some slack is told as stale.
FRESH = timedelta(hours=26)
#: What has waited to be sent for longer wants a look.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing for a person to do: ``said`` what is wrong, ``advice`` what to do, both by language.

    ``code``: what kind of thing (``report_failed``, ``report_quarantine`` …). ``routes``: codes of the routes it
    concerns. ``number``: how many records.
    """

    severity: Severity
    code: str
    routes: tuple[str, ...]
    number: int
    said: Mapping[str, str]
    advice: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One route in the run. ``usual``: median of what it received in earlier runs of the same mode, if there are.

    ``paused``: mappings of it that did not fit what the base published, each with its reasons. ``deleted`` and
    ``restored``: how many of the updated ones turned out to be gone from the source, or came back to it.
    """

    route: str
    system: str
    entity: str
    state: str
    counters: Counters
    released: int
    seconds: float
    requests: int
    usual: int | None
    error_code: str | None
    paused: Mapping[str, Sequence[HubError]] = field(default_factory=dict)
    deleted: int = 0
    restored: int = 0


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a system was last read with success. ``at``: UTC, None if never; ``fresh``: not older than ``FRESH``."""

    system: str
    title: str
    at: datetime | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Records of one route that stand in quarantine for one reason. ``fields``: the source's names of the culprits."""

    route: str
    entity: str
    reason: str
    number: int
    fields: tuple[str, ...]
    oldest: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Parked records of one route that wait for records of one stream; ``system``: whose stream it is."""

    route: str
    entity: str
    system: str
    stream: str
    number: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """A system that is not read until an admin decides. ``state``: ``went_back`` or ``copy``; ``at``: since when, UTC.

    ``evidence``: what gave a base away that went back in time.
    """

    system: str
    title: str
    state: str
    at: datetime | None
    evidence: str


@dataclass(frozen=True, slots=True)
class PushLine:
    """What one route sent in the run. ``received``: what its looks before and after writing brought in."""

    route: str
    system: str
    entity: str
    state: str
    counters: PushCounters
    received: int
    writes: int
    seconds: float
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Owing:
    """What one route still owes, in one state for one reason (a code). ``params``: what may be told of it."""

    route: str
    system: str
    entity: str
    state: str
    reason: str
    number: int
    oldest: datetime
    params: Mapping[str, Any] = field(default_factory=dict)

    def late(self, at: datetime) -> bool:
        """Whether it has waited for more than a day."""
        return at - self.oldest > DAY


@dataclass(frozen=True, slots=True)
class PausedRoute:
    """One direction (``pull`` or ``push``) of a route that an admin has stopped, until ``until`` or for good."""

    route: str
    direction: str
    reason: str
    by: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One exchange as a person reads it; ``run_id`` 0 and verdict ``none`` while there has been none.

    ``started_at``, ``ended_at``: UTC. ``zone``: the company's, for showing them. ``quarantine``, ``parked``, ``held``,
    ``conflicts``, ``owing`` and ``pauses`` tell what stands open now, whatever run left it there. ``duplicates``: pairs
    of clients that wait for a person, by band.
    """

    run_id: int
    mode: str
    state: str
    verdict: Verdict
    started_at: datetime | None
    ended_at: datetime | None
    zone: str
    todo: tuple[ToDo, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    routes: tuple[RouteLine, ...] = ()
    quarantine: tuple[Trouble, ...] = ()
    parked: tuple[Waiting, ...] = ()
    held: int = 0
    conflicts: int = 0
    stopped: tuple[Stopped, ...] = ()
    pushes: tuple[PushLine, ...] = ()
    owing: tuple[Owing, ...] = ()
    pauses: tuple[PausedRoute, ...] = ()
    comms: Figures = field(default_factory=Figures)
    duplicates: Mapping[str, int] = field(default_factory=dict)

    @property
    def totals(self) -> Counters:
        """Counters of all routes together."""
        total = Counters()
        for line in self.routes:
            total.add(line.counters)
        return total

    @property
    def later(self) -> list[str]:
        """Codes of the routes that a run of changes left to the next whole exchange."""
        return [line.route for line in self.routes if line.state == "later"]

    def as_dict(self, lang: str = "ru") -> dict[str, Any]:
        """JSON-able; moments as ISO 8601 in UTC, sentences in ``lang``."""
        plain: dict[str, Any] = _json(
            {name: getattr(self, name) for name in self.__slots__ if name not in {"todo", "routes", "pushes", "owing"}}
        )
        gone = {name: sum(getattr(line, name) for line in self.routes) for name in ("deleted", "restored")}
        plain["totals"] = asdict(self.totals) | gone
        plain["later"] = self.later
        plain["balanced"] = all(line.counters.balanced for line in self.routes)
        plain["todo"] = [
            {
                "severity": item.severity,
                "routes": list(item.routes),
                "code": item.code,
                "number": item.number,
                "sentence": item.said[lang],
                "advice": item.advice[lang],
            }
            for item in self.todo
        ]
        plain["routes"] = [_flat(line, lang) for line in self.routes]
        plain["pushes"] = [_sent(line) for line in self.pushes]
        plain["owing"] = [_owing(item, lang) for item in self.owing]
        return plain


def _flat(line: RouteLine, lang: str) -> dict[str, Any]:
    whole = {name: getattr(line, name) for name in line.__slots__ if name not in {"counters", "paused"}}
    paused = {
        name: [{"code": one.code, "sentence": one.sentence(lang), "advice": one.advice(lang)} for one in reasons]
        for name, reasons in line.paused.items()
    }
    return asdict(line.counters) | whole | {"paused": paused}


def _sent(line: PushLine) -> dict[str, Any]:
    whole = {name: getattr(line, name) for name in line.__slots__ if name != "counters"}
    return asdict(line.counters) | {"owed": line.counters.owed} | whole


def _owing(item: Owing, lang: str) -> dict[str, Any]:
    said, advise = why(item.reason or item.state, lang, **item.params)
    plain: dict[str, Any] = _json(item)
    return plain | {"sentence": said, "advice": advise}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return _json(asdict(value)) if hasattr(value, "__dataclass_fields__") else value

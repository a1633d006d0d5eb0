"""From the journal to a ``Summary``: grouping, judging, and choosing what a person should do first."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hub.exchange.duplicates import queue
from hub.model.entities import ENTITIES
from hub.model.errors import HubError
from hub.model.records import Counters
from hub.model.settings import Settings
from hub.reports import facts
from hub.reports.model import (
    FRESH,
    Freshness,
    Owing,
    PausedRoute,
    PushLine,
    RouteLine,
    Severity,
    Stopped,
    Summary,
    ToDo,
    Trouble,
    Verdict,
    Waiting,
)
from hub.reports.reasons import safe, unfilled, why
from hub.store import comms_figures, journal, outgoing
from hub.store.comms_figures import Figures
from hub.store.database import Store
from hub.store.journal import Deletions, RouteEntry, RunEntry, SystemEntry
from hub.store.outgoing import Pause
from hub.texts import LANGS, advice, sentence

_FAILED, _WAITING = ("failed", "fenced"), "waiting"
#: Why routes failed that is told once, of their system as it stands now.
_TOLD = frozenset({"base_went_back", "system_is_copy"})


def build(
    store: Store, settings: Settings, run_id: int | None, errors: Mapping[str, HubError], at: datetime
) -> Summary:
    """The summary as of ``at`` (UTC); reads only, in one snapshot."""
    with store.read() as conn:
        run = _run(conn, run_id)
        if run is None:
            return Summary(0, "", "", "none", None, None, settings.company_timezone)
        rows = journal.run_routes(conn, run.id)
        if facts.broken_off(conn, run.id):
            run = replace(run, state="failed")
            rows = [replace(row, state="failed") if row.state == "running" else row for row in rows]
        rows = [row for row in rows if row.entity or row.counters.received]  # of a feed's rest only if there is one
        rows = [row for row in rows if not row.route.endswith(".push")]
        pushes, owing = _pushes(conn, run), _owing(conn)
        pauses = tuple(_pause(pause) for pause in outgoing.pauses(conn, at))
        routes = _lines(conn, run, rows)
        quarantine, parked = _troubles(conn), _waits(conn)
        held, conflicts = facts.open_number(conn, "held"), facts.open_number(conn, "conflict")
        waiting = journal.open_counts(conn)["parked"]
        fresh = _freshness(facts.read_last(conn), settings, at)
        states = [state for state in journal.systems(conn) if state.state != "live"]
        comms, duplicates = comms_figures.figures(conn, at), queue.waiting(conn)
    teller = _Teller(settings)
    todo = [  # red first, in the order in which a person should look
        *teller.stopped(states),
        *teller.failed([row for row in rows if row.error_code not in _TOLD], errors),
        *teller.waiting(rows, errors),
        *teller.stale(fresh, run.state, {_system(row.route) for row in rows if row.state in (*_FAILED, _WAITING)}),
        *teller.warned(routes),
        *(teller.trouble(item) for item in quarantine),
        *teller.parked(parked, waiting),
        *teller.open("report_held", held),
        *teller.open("report_conflicts", conflicts),
        *teller.comms(comms),
        *teller.unsent(pushes),
        *teller.owing(owing, at),
        *teller.pauses(pauses),
    ]
    todo.sort(key=lambda item: item.severity != "red")
    return Summary(
        run_id=run.id,
        mode=run.mode,
        state=run.state,
        verdict=_verdict(run.state, routes, todo),
        started_at=run.started_at,
        ended_at=run.ended_at,
        zone=settings.company_timezone,
        todo=tuple(todo),
        freshness=fresh,
        routes=routes,
        quarantine=quarantine,
        parked=parked,
        held=held,
        conflicts=conflicts,
        stopped=tuple(teller.stop(state) for state in states),
        pushes=pushes,
        owing=owing,
        pauses=pauses,
        comms=comms,
        duplicates=duplicates,
    )


def _verdict(state: str, routes: Sequence[RouteLine], todo: Sequence[ToDo]) -> Verdict:
    if state == "running":
        return "running"
    if routes and all(line.state in _FAILED for line in routes if line.state != "disabled"):
        return "failed" if any(line.state in _FAILED for line in routes) else "good"
    return "attention" if todo or state in _FAILED else "good"


def _run(conn: Connection, run_id: int | None) -> RunEntry | None:
    if run_id is not None:
        return journal.run(conn, run_id)
    return next(iter(journal.last_runs(conn, 1)), None)


def _system(route: str) -> str:
    return route.partition(".")[0]


def _lines(conn: Connection, run: RunEntry, rows: Sequence[RouteEntry]) -> tuple[RouteLine, ...]:
    before = facts.received_before(conn, run.id, run.mode, len(rows))
    # Who changed nothing deleted nothing: the log of a first load need not be gone through.
    gone = journal.deletions(conn, run.id) if any(row.counters.updated for row in rows) else {}
    none = Deletions()
    return tuple(
        RouteLine(
            route=row.route,
            system=_system(row.route),
            entity=row.entity,
            state=row.state,
            counters=row.counters,
            released=row.released,
            seconds=(row.ended_at - row.started_at).total_seconds() if row.ended_at else 0.0,
            requests=row.requests,
            usual=round(statistics.median(before[row.route])) if row.route in before else None,
            error_code=row.error_code,
            paused={name: [_error(one) for one in reasons] for name, reasons in row.paused.items()},
            deleted=gone.get(row.route, none).deleted,
            restored=gone.get(row.route, none).restored,
        )
        for row in rows
    )


def _pushes(conn: Connection, run: RunEntry) -> tuple[PushLine, ...]:
    broken = run.state == "failed"
    return tuple(
        PushLine(
            row.route,
            _system(row.route),
            row.entity,
            "failed" if broken and row.state == "running" else row.state,
            row.counters,
            row.received,
            row.writes,
            row.seconds,
            row.error_code,
        )
        for row in outgoing.pushes(conn, run.id)
    )


def _owing(conn: Connection) -> tuple[Owing, ...]:
    return tuple(
        Owing(row.route, row.system, row.entity, row.state, row.reason, row.number, row.oldest, safe(row.params))
        for row in outgoing.standing(conn)
    )


def _pause(pause: Pause) -> PausedRoute:
    direction = "push" if pause.route.endswith(".push") else "pull"
    code = outgoing.pull_code(pause.route)
    return PausedRoute(code, direction, pause.reason, pause.by, pause.since, pause.until)


def _troubles(conn: Connection) -> tuple[Trouble, ...]:
    fields = facts.quarantine_fields(conn)
    return tuple(
        Trouble(
            route=row.code,
            entity=row.entity,
            reason=row.reason_code,
            number=row.number,
            fields=tuple(fields.get((row.code, row.reason_code), ())),
            oldest=row.oldest,
            attempts=row.attempts,
        )
        for row in facts.quarantine_rows(conn)
    )


def _waits(conn: Connection) -> tuple[Waiting, ...]:
    return tuple(
        Waiting(row.code, row.entity, row.system, row.stream, row.number, row.oldest) for row in facts.parked_rows(conn)
    )


def _freshness(last: Mapping[str, datetime], settings: Settings, at: datetime) -> tuple[Freshness, ...]:
    return tuple(
        Freshness(code, system.title, last.get(code), code in last and at - last[code] <= FRESH)
        for code, system in settings.systems.items()
    )


def _error(told: Mapping[str, Any]) -> HubError:
    """An error as the journal keeps it; of a mapping with its place before it."""
    return HubError(str(told["code"]), **told["params"])


def _alike(rows: Iterable[RouteEntry]) -> list[tuple[str, str, list[RouteEntry]]]:
    """Rows by system and reason (its code): texts that differ in the route's name alone are one."""
    groups: dict[tuple[str, str, str], list[RouteEntry]] = {}
    for row in rows:
        same = (row.error_text or "").replace(row.route, "{route}")
        groups.setdefault((_system(row.route), row.error_code or "report_broken_off", same), []).append(row)
    return [(system, code, group) for (system, code, _), group in groups.items()]


def _explained(counters: Counters) -> bool:
    return bool(counters.quarantined or counters.parked or counters.held)


class _Teller:
    """Puts findings into sentences, in each language."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def title(self, system: str) -> str:
        known = self.settings.systems.get(system)
        return known.title if known else system

    def place(self, route: str, entity: str, lang: str) -> str:
        """``УТ, Заказы клиентов (ut.sales_order)``."""
        title = self.title(_system(route))
        known = ENTITIES.get(entity)
        name = (known.ru if lang == "ru" else known.en) if known else entity
        return f"{title}, {name} ({route})"

    def item(
        self,
        severity: Severity,
        code: str,
        routes: Sequence[str],
        number: int,
        said: Mapping[str, dict[str, Any]],
        advise: Mapping[str, str] | None = None,
    ) -> ToDo:
        """A thing to do; ``said``: parameters of its sentence by language, ``advise``: advice that is ready."""
        return ToDo(
            severity,
            code,
            tuple(routes),
            number,
            {lang: sentence(code, lang, number=number, **said[lang]) for lang in LANGS},
            advise or {lang: advice(code, lang, number=number, **said[lang]) for lang in LANGS},
        )

    def failed(self, rows: Sequence[RouteEntry], errors: Mapping[str, HubError]) -> list[ToDo]:
        """One item per system and reason: a base that is down fails all of its routes for one reason."""
        groups = _alike(row for row in rows if row.state in _FAILED)
        return [self.failure(*group, errors, "red", "report_failed") for group in groups]

    def waiting(self, rows: Sequence[RouteEntry], errors: Mapping[str, HubError]) -> list[ToDo]:
        """Routes that were not asked for now, as in the quiet hours of their system; no fault, but nothing was read."""
        groups = _alike(row for row in rows if row.state == _WAITING)
        return [self.failure(*group, errors, "yellow", "report_waiting") for group in groups]

    def failure(
        self,
        system: str,
        code: str,
        group: Sequence[RouteEntry],
        errors: Mapping[str, HubError],
        severity: Severity,
        told: str,
    ) -> ToDo:
        """What routes of a system did not do, and why."""
        routes = [row.route for row in group]
        error = errors.get(routes[0])
        said, advise = {}, {}
        for lang in LANGS:
            if error is None and group[0].error_code and group[0].error_params is not None:
                error = HubError(group[0].error_code, **group[0].error_params)
            if error is not None:
                reason, advise[lang] = error.sentence(lang), error.advice(lang)
            elif lang == "ru" and group[0].error_text:
                reason, advise[lang] = group[0].error_text, ""
            else:
                reason, advise[lang] = unfilled(sentence(code, lang)), unfilled(advice(code, lang))
            said[lang] = {"title": self.title(system), "routes": ", ".join(routes), "reason": reason}
        return self.item(severity, told, routes, len(routes), said, advise)

    def stale(self, fresh: Sequence[Freshness], state: str, told: set[str]) -> list[ToDo]:
        """Systems not read for long; not those whose failure is told already, and not while a run is going."""
        if state == "running":
            return []
        items = []
        for system in fresh:
            if not system.fresh and system.system not in told:
                said = {lang: {"title": system.title} for lang in LANGS}
                items.append(self.item("red", "report_stale" if system.at else "report_never", (), 0, said))
        return items

    def warned(self, routes: Sequence[RouteLine]) -> list[ToDo]:
        """Routes that ended with a warning which no record explains: a mapping that does not fit is paused."""
        items = [self.paused(line) for line in routes if line.paused]
        troubled = [
            line.route
            for line in routes
            if line.state == "warnings"
            and not (line.counters.quarantined or line.counters.parked or line.counters.held or line.paused)
        ]
        said: dict[str, dict[str, Any]] = {lang: {"routes": ", ".join(troubled)} for lang in LANGS}
        return items + ([self.item("yellow", "report_warned", troubled, len(troubled), said)] if troubled else [])

    def paused(self, line: RouteLine) -> ToDo:
        """Mappings that do not fit what the base publishes, with every reason."""
        said = {
            lang: {
                "place": self.place(line.route, line.entity, lang),
                "names": ", ".join(line.paused),
                "reasons": " ".join(one.sentence(lang) for reasons in line.paused.values() for one in reasons),
            }
            for lang in LANGS
        }
        return self.item("yellow", "report_paused", [line.route], len(line.paused), said)

    def stop(self, state: SystemEntry) -> Stopped:
        """A system that waits for an admin, with what gave it away."""
        return Stopped(state.code, self.title(state.code), state.state, state.at, str(state.why.get("evidence", "")))

    def stopped(self, states: Sequence[SystemEntry]) -> list[ToDo]:
        """One item per system that is not read until somebody decides."""
        items = []
        for state in states:
            code = "base_went_back" if state.state == "went_back" else "system_is_copy"
            params = {"title": self.title(state.code), "system": state.code}
            said = {lang: {"reason": self.reason(state, code, params, lang)} for lang in LANGS}
            advise = {lang: advice(code, lang, **params) for lang in LANGS}
            items.append(self.item("red", "report_stopped", (), 1, said, advise))
        return items

    @staticmethod
    def reason(state: SystemEntry, code: str, params: dict[str, Any], lang: str) -> str:
        """The state, then the evidence where there is one."""
        evidence = state.why.get("evidence")
        told = [sentence(code, lang, **params)]
        return " ".join([*told, sentence(str(evidence), lang, **state.why)] if evidence else told)

    def trouble(self, item: Trouble) -> ToDo:
        said, advise = {}, {}
        for lang in LANGS:
            fields = ", ".join(item.fields) or "…"
            reason = unfilled(sentence(item.reason, lang, field=fields, value="…"))
            said[lang] = {"place": self.place(item.route, item.entity, lang), "reason": reason}
            advise[lang] = unfilled(advice(item.reason, lang, field=fields, value="…"))
        return self.item("yellow", "report_quarantine", [item.route], item.number, said, advise)

    def parked(self, waits: Sequence[Waiting], numbers: Mapping[str, int]) -> list[ToDo]:
        """One item per route: its records may wait for several streams at once."""
        items = []
        for route, number in numbers.items():
            group = [wait for wait in waits if wait.route == route]
            said = {
                lang: {
                    "place": self.place(route, group[0].entity if group else "", lang),
                    "streams": ", ".join(f"{self.title(wait.system)}: {wait.stream}" for wait in group),
                }
                for lang in LANGS
            }
            items.append(self.item("yellow", "report_parked", [route], number, said))
        return items

    def unsent(self, pushes: Sequence[PushLine]) -> list[ToDo]:
        """Routes whose sending ended with an error: what they owe stays owed."""
        items = []
        for line in pushes:
            if line.state in _FAILED:
                said, advise = {}, {}
                for lang in LANGS:
                    reason, advise[lang] = why(line.error_code or "report_broken_off", lang, system=line.system)
                    said[lang] = {"place": self.place(line.route, line.entity, lang), "reason": reason}
                items.append(self.item("red", "report_unsent", [line.route], line.counters.owed, said, advise))
        return items

    def owing(self, owing: Sequence[Owing], at: datetime) -> list[ToDo]:
        """What is not sent and does not pass by itself, by route and reason; what waits is told after a day."""
        items = []
        for owed in owing:
            asked = owed.state in {"failed", "unknown", "held"}
            if not asked and (not owed.late(at) or owed.reason == "shadow"):
                continue
            said, advise = {}, {}
            for lang in LANGS:
                reason, advise[lang] = why(owed.reason or owed.state, lang, **owed.params)
                said[lang] = {"place": self.place(owed.route, owed.entity, lang), "reason": reason}
            severity: Severity = "red" if owed.state in {"failed", "unknown"} else "yellow"
            code = f"report_owed_{owed.state}" if asked else "report_owed_late"
            items.append(self.item(severity, code, [owed.route], owed.number, said, advise))
        return items

    def pauses(self, pauses: Sequence[PausedRoute]) -> list[ToDo]:
        """Routes that stand still because somebody wanted it, with why and until when."""
        items = []
        for pause in pauses:
            zone = ZoneInfo(self.settings.company_timezone)
            said = {
                lang: {
                    "route": pause.route,
                    "direction": sentence(f"report_direction_{pause.direction}", lang),
                    "by": pause.by,
                    "reason": pause.reason,
                    "until": f"{pause.until.astimezone(zone):%d.%m.%Y %H:%M}"
                    if pause.until
                    else sentence("report_until_resumed", lang),
                }
                for lang in LANGS
            }
            items.append(self.item("yellow", "report_pause", [pause.route], 1, said))
        return items

    def comms(self, figures: Figures) -> list[ToDo]:
        """Whom nobody knows, who may be several, and who was not called back."""
        items = [*self.open("report_ambiguous", figures.ambiguous), *self.open("report_unmatched", figures.unmatched)]
        if figures.missed and figures.missed_since is not None:
            zone = ZoneInfo(self.settings.company_timezone)
            said = {lang: {"since": f"{figures.missed_since.astimezone(zone):%d.%m.%Y %H:%M}"} for lang in LANGS}
            items.append(self.item("yellow", "report_missed", (), figures.missed, said))
        return items

    def open(self, code: str, number: int) -> list[ToDo]:
        """Things that stand open for a person to decide, if there are any."""
        return [self.item("yellow", code, (), number, {lang: {} for lang in LANGS})] if number else []

"""``obmen exchange --plan`` and ``obmen apply``: what would change, saved to be read, and carried out later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import argument, command
from hub.cli.progress import watching
from hub.cli.trouble import as_dict

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.exchange.plan.apply import ApplyReport
    from hub.exchange.plan.file import Plan
    from hub.exchange.plan.make import PlanReport

#: So many samples, and so many parts that moved, are told line by line.
_SAMPLES, _MOVED = 5, 50


def commands(lang: str) -> list[click.Command]:
    """The command that carries plans out."""
    return [command(lang, "apply", apply, [argument("plan", "PLAN")])]


def save(call: Call, hub: Hub, routes: Sequence[str]) -> Outcome:
    """Save a plan of an exchange of ``routes`` (all without any)."""
    from hub.exchange.plan.make import make_plan

    with watching(call, hub) as show:
        report = make_plan(hub, list(routes) or None, initiator="cli", on_progress=show)
    return Outcome(report.exit_code, _saved(call, report), _saved_lines(call, hub, report))


def _saved(call: Call, report: PlanReport) -> dict[str, Any]:
    ended = [(one.route, one.state, one.error) for one in report.run.routes]
    ended += [(one.route, one.state, one.error) for one in report.run.pushes]
    return {
        "plan": report.code,
        "path": str(report.path),
        "book": str(report.book),
        "empty": report.empty,
        "counts": report.counts.by,
        "samples": report.counts.samples,
        "routes": [
            {"route": route, "state": state, "error": as_dict(error, call.lang) if error is not None else None}
            for route, state, error in ended
        ],
    }


def _saved_lines(call: Call, hub: Hub, report: PlanReport) -> list[str]:
    from hub.exchange.plan.file import LASTS
    from hub.exchange.runs import now
    from hub.reports.plan_book import count_name

    until = (now() + LASTS).astimezone(ZoneInfo(hub.settings.company_timezone))
    lines = [call.text("plan_saved", plan=report.code, until=f"{until:%d.%m.%Y %H:%M}")]
    if report.empty:
        lines.append(call.text("plan_empty"))
    for section, routes in report.counts.by.items():
        for route, numbers in routes.items():
            lines += [
                call.text("plan_count", route=route or "—", what=count_name(section, what, call.lang), number=number)
                for what, number in sorted(numbers.items())
            ]
    samples = [line for section in ("items", "outgoing") for line in _samples(call, report, section)]
    lines += [call.text("plan_samples"), *samples] if samples else []
    for one in report.run.routes:
        if one.error is not None:
            lines.append(call.text("plan_error", route=one.route, reason=one.error.sentence(call.lang)))
    lines.append(call.text("plan_files", book=report.book, path=report.path))
    return lines if report.empty else [*lines, call.text("plan_next", plan=report.code)]


def _samples(call: Call, report: PlanReport, section: str) -> list[str]:
    lines = []
    for part in report.counts.samples[section]:
        for cell in part.get("changes", [])[:1]:
            field, key = cell["field"] or "", f"{part.get('system', '')}:{part.get('external_id', '')}"
            shown = {"before": cell["before"] or "", "after": cell["after"] or ""}
            lines.append(call.text("plan_sample", key=key, label=part.get("label", ""), field=field, **shown))
    return lines[:_SAMPLES]


def apply(call: Call, plan: str | None = None) -> Outcome:
    """Carry out a plan, by its code or its file; without one, show the plans."""
    from hub.exchange.hub import Hub
    from hub.exchange.plan.apply import apply_plan
    from hub.exchange.plan.file import plans

    with Hub.open(call.home) as hub:
        if plan is None:
            return _listed(call, hub, plans(hub))
        report = apply_plan(hub, plan, initiator="cli")
    return Outcome(report.exit_code, _applied(call, report), _applied_lines(call, report))


def _listed(call: Call, hub: Hub, found: Sequence[Plan]) -> Outcome:
    from hub.exchange.runs import now

    data, lines = [], []
    for plan in found:
        state = "expired" if plan.state == "saved" and plan.expires_at <= now() else plan.state
        numbers = {
            section: sum(sum(of_route.values()) for of_route in plan.counts.get(section, {}).values())
            for section in ("items", "outgoing", "left")
        }
        made = plan.made_at.astimezone(ZoneInfo(hub.settings.company_timezone))
        told = {"plan": plan.code, "made": f"{made:%d.%m.%Y %H:%M}", **numbers}
        lines.append(call.text("plan_line", state=call_state(call, state), **told))
        data.append({**told, "state": state, "made": plan.made_at.isoformat(), "run": plan.run})
    waits = any(one["state"] in {"saved", "applying"} for one in data)
    return Outcome(WAITS if waits else DONE, {"plans": data}, lines or [call.text("plan_none")])


def call_state(call: Call, state: str) -> str:
    """State of a plan in words."""
    from hub.texts import sentence

    return sentence(f"plan_state_{state}", call.lang)


def _applied(call: Call, report: ApplyReport) -> dict[str, Any]:
    from hub.reports.plan_book import reason_name

    errors = [(one.route, one.error) for one in report.run.routes]
    errors += [(one.route, one.error) for one in report.run.pushes]
    return {
        "plan": report.code,
        "run": report.run.run_id,
        "state": report.run.state,
        "applied": report.applied,
        "already": report.already,
        "sent": report.sent,
        "moved": [
            {
                "section": one.section,
                "route": one.route,
                "key": one.key,
                "label": one.label,
                "reason": one.reason,
                "sentence": reason_name(one.reason, call.lang),
            }
            for one in report.moved
        ],
        "errors": [{"route": route, **as_dict(error, call.lang)} for route, error in errors if error is not None],
    }


def _applied_lines(call: Call, report: ApplyReport) -> list[str]:
    from hub.reports.plan_book import reason_name

    told = {"applied": report.applied, "sent": report.sent, "already": report.already}
    lines = [call.text("apply_done", plan=report.code, run=report.run.run_id, **told)]
    errors = [(one.route, one.error) for one in report.run.routes]
    errors += [(one.route, one.error) for one in report.run.pushes]
    for route, error in errors:
        if error is not None:
            lines.append(call.text("plan_error", route=route, reason=error.sentence(call.lang)))
    if report.moved:
        lines.append(call.text("apply_moved", number=len(report.moved)))
        lines += [
            call.text("apply_part", key=one.key, label=one.label, reason=reason_name(one.reason, call.lang))
            for one in report.moved[:_MOVED]
        ]
        if len(report.moved) > _MOVED:
            lines.append(call.text("apply_more", number=len(report.moved) - _MOVED))
        lines.append(call.text("apply_next" if report.whole else "apply_again"))
    return lines

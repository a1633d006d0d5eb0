"""What came of a replay of quarantine, or would come, in words and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.cli.call import DONE, WAITS, WRONG, Call, Outcome
from hub.cli.quarantine import reason
from hub.cli.trouble import as_dict, as_lines
from hub.texts import sentence

if TYPE_CHECKING:
    from hub.exchange.decisions import Checked, Fault
    from hub.exchange.replay import Cause, ReplayReport


def of_choice(call: Call, report: ReplayReport, *, applied: bool) -> Outcome:
    """The outcome of ``obmen quarantine replay``."""
    return Outcome(report.exit_code, _data(call, report, applied=applied), _lines(call, report, applied=applied))


def of_file(call: Call, checked: Checked, report: ReplayReport | None, *, applied: bool) -> Outcome:
    """The outcome of ``obmen quarantine import``; without a report the file was refused as a whole."""
    told = {"mistakes": checked.mistakes, "late": checked.late}
    data: dict[str, Any] = {name: [_fault(call, one) for one in faults] for name, faults in told.items()}
    data["undecided"] = checked.undecided
    lines = []
    for name, faults in told.items():
        lines += [call.text(f"import_{name}", number=len(faults))] if faults else []
        lines += [_fault_line(call, one) for one in faults]
    lines += [call.text("import_undecided", number=checked.undecided)] if checked.undecided else []
    if report is None:
        return Outcome(WRONG, {**data, "applied": False}, [*lines, call.text("import_refused")])
    data |= _data(call, report, applied=applied)
    code = max(report.exit_code, WAITS if checked.mistakes or checked.late else DONE)
    return Outcome(code, data, [*lines, *_lines(call, report, applied=applied)])


def _fault(call: Call, fault: Fault) -> dict[str, Any]:
    return {"row": fault.row, **as_dict(fault.error, call.lang)}


def _fault_line(call: Call, fault: Fault) -> str:
    return call.text("import_fault", row=fault.row, reason=" ".join(as_lines(fault.error, call.lang)))


def _data(call: Call, report: ReplayReport, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "run": report.run_id,
        "parked": report.parked,
        "causes": [_cause(call, cause) for cause in report.causes],
        "routes": [
            {
                "route": route.route,
                "state": route.state,
                "released": route.released,
                "error": as_dict(route.error, call.lang) if route.error is not None else None,
            }
            for route in report.routes
        ],
    }


def _cause(call: Call, cause: Cause) -> dict[str, Any]:
    numbers = ("number", "passed", "waiting", "held", "skipped", "corrected", "gone", "untried")
    return {
        "route": cause.route,
        "reason": cause.reason_code,
        "field": cause.field,
        **{name: getattr(cause, name) for name in numbers},
        "refused": [
            {"reason": code, "field": field, "number": found.number, "sentence": reason(call, found.example)[0]}
            for (code, field), found in cause.refused.items()
        ],
        "blocked": sentence(cause.blocked, call.lang, **cause.params) if cause.blocked else None,
    }


def _lines(call: Call, report: ReplayReport, *, applied: bool) -> list[str]:
    lines = [line for cause in report.causes for line in _cause_lines(call, cause, applied=applied)]
    for route in report.routes:
        if route.error is not None:
            lines += [f"✗ {route.route}: {line}" for line in as_lines(route.error, call.lang)]
    released = sum(route.released for route in report.routes)
    lines += [call.text("replay_released", number=released)] if released else []
    if not report.causes and not report.routes:
        lines.append(call.text("replay_nothing"))
    elif applied:
        lines.append(call.text("replay_done", run=report.run_id or "—"))
    else:
        lines.append(call.text("replay_dry"))
    return [*lines, call.text("quarantine_parked", number=report.parked)] if report.parked else lines


def _cause_lines(call: Call, cause: Cause, *, applied: bool) -> list[str]:
    place = " · ".join(part for part in (cause.route, cause.reason_code, cause.field) if part)
    refused = sum(found.number for found in cause.refused.values())
    tried = cause.number - cause.untried
    told = {"number": tried, "passed": cause.passed, "waiting": cause.waiting, "refused": refused}
    lines = [call.text("replay_cause_done" if applied else "replay_cause", place=place, **told)] if tried else []
    if cause.untried:
        why = sentence(cause.blocked, call.lang, **cause.params)
        lines.append(call.text("replay_blocked", place=place, number=cause.untried, reason=why))
    for name in ("held", "skipped", "corrected", "gone"):
        number = getattr(cause, name)
        lines += [call.text(f"replay_{name}", number=number)] if number else []
    for found in cause.refused.values():
        said, advise = reason(call, found.example)
        lines.append(call.text("replay_refused", number=found.number, reason=f"{said} {advise}".strip()))
    return lines

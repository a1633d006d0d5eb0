"""Connection test of one system: can it be reached, what is published, do the mappings fit."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.base import CheckReport
from hub.exchange import notices, went_back
from hub.exchange.hub import Hub
from hub.model.errors import HubError, NeedsPerson
from mappings.finds import finds


@dataclass(slots=True)
class CheckResult:
    """What a connection test found. ``paused``: mappings that do not fit, each with its problems.

    ``left_out``: names that the base does not have and that a mapping does without, by mapping. ``not_found``: what
    new records or rows will lack, because the keys for it are nowhere to be found in the base.
    """

    system: str
    report: CheckReport
    problems: list[HubError] = field(default_factory=list)
    paused: dict[str, list[HubError]] = field(default_factory=dict)
    mappings: int = 0
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_found: list[HubError] = field(default_factory=list)


def check_system(hub: Hub, code: str) -> CheckResult:
    """Try the system and hold its mappings against what it publishes; faults are in the result.

    That it is stopped until somebody says what its base is belongs to them: it would not be exchanged.
    """
    try:
        connector = hub.connector(code)
    except HubError as error:
        return CheckResult(code, CheckReport(), [error])
    report = connector.check()
    with hub.store.read() as conn:
        stopped = went_back.state_of(conn, code).error()
    result = CheckResult(code, report, [*report.problems, *([stopped] if stopped else [])])
    if not report.reachable or report.problems:
        return result
    if hub.system(code).takes_notices and (silent := notices.silence(hub, code)):
        report.notes.append(silent)
    try:
        profile = hub.profile(code)
    except HubError as error:
        result.problems.append(error)
        return result
    result.mappings = len(profile.mappings)
    result.paused = {name: list(problems) for name, problems in profile.paused.items()}
    result.left_out = {name: one.left_out for name, one in profile.mappings.items() if one.left_out}
    try:
        result.not_found = _not_found(hub, code)
    except HubError as error:
        result.problems.append(error)
    return result


def _not_found(hub: Hub, code: str) -> list[HubError]:
    """Look-ups of routes that write which find nothing: a sentence per catalogue that is not published, and one per
    catalogue in which nothing fits.
    """
    unseen: dict[str, dict[str, None]] = {}
    unfit: dict[str, dict[str, None]] = {}
    for route in (route for route in hub.routes.values() if route.system == code):
        entity = route.entity.name
        if not hub.rules.way(code, entity).writes and hub.rules.creation(code, entity) is None:
            continue
        found = hub.found(code, route.entity.name)
        for mapping in hub.profile(code).mappings.values():
            if mapping.entity.name == route.entity.name:
                for name, find, written in finds(mapping.spec):
                    if not find.by:
                        unseen.setdefault(find.stream, {})[f"{mapping.name}: {name}"] = None
                    elif found.key(find, written) is None:
                        shown = ", ".join(str(written[one]) for one in find.same if one in written)
                        unfit.setdefault(find.stream, {})[f"{mapping.name}: {name} {shown}".strip()] = None
    return [
        NeedsPerson(problem, stream=stream, names="; ".join(names))
        for problem, lacking in (("find_not_published", unseen), ("find_nothing", unfit))
        for stream, names in lacking.items()
    ]

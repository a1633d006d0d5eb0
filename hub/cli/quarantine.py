"""``obmen quarantine``: what could not pass, by cause; as a file to decide in; replayed by the mappings of now."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import argument, command, family, option
from hub.texts import advice, sentence

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.store.quarantined import Choice, Group, Quarantined

_OF = "quarantine"


def commands(lang: str) -> list[click.Command]:
    """The family of commands."""
    routes = argument("routes", "ROUTE", many=True)
    causes = option(lang, "--cause", "causes", metavar="CODE", multiple=True)
    ids = option(lang, "--id", "external_ids", metavar="ID", multiple=True)
    apply = option(lang, "--apply", "apply", is_flag=True)

    def limit(default: int) -> click.Parameter:
        kind = click.IntRange(1, 100_000)
        return option(lang, "--limit", "limit", type=kind, metavar="N", default=default, show_default=True)

    file = argument("path", "FILE.xlsx", required=True)
    force = option(lang, "--force", "force", is_flag=True)
    members = [
        command(lang, "list", listing, [routes, causes, limit(100)], of=_OF),
        command(lang, "show", show, [routes, causes, ids, limit(20)], of=_OF),
        command(lang, "export", export, [file, routes, causes, force], of=_OF),
        command(lang, "import", bring, [file, apply], of=_OF),
        command(lang, "replay", replay, [routes, causes, ids, apply], of=_OF),
    ]
    return [family(lang, _OF, members)]


def choice(
    hub: Hub, routes: tuple[str, ...] = (), causes: tuple[str, ...] = (), external_ids: tuple[str, ...] = ()
) -> Choice:
    """What the arguments choose; an unknown route is refused."""
    from hub.store.quarantined import Choice

    for code in routes:
        hub.route(code)
    return Choice(tuple(routes), tuple(causes), tuple(external_ids))


def listing(call: Call, routes: tuple[str, ...] = (), causes: tuple[str, ...] = (), limit: int = 100) -> Outcome:
    """Read the store; nothing is written, no system is asked."""
    from hub.exchange.hub import Hub
    from hub.store import quarantined as store

    with Hub.open(call.home) as hub:
        wanted = choice(hub, routes, causes)
        with hub.store.read() as conn:
            groups, records = store.groups(conn, wanted), store.quarantined(conn, wanted, limit)
            parked, left_out = store.parked_number(conn, wanted.routes), store.decided_number(conn, wanted)
    data = {
        "groups": [_group(call, item) for item in groups],
        "records": [_data(call, item) for item in records],
        "parked": parked,
        "left_out": left_out,
    }
    lines = [line for item in groups for line in _group_lines(call, item)] or [call.text("quarantine_empty")]
    lines += [call.text("quarantine_parked", number=parked)] if parked else []
    lines += [call.text("quarantine_left_out", number=left_out)] if left_out else []
    lines += ["", call.text("quarantine_passes")] if groups else []
    return Outcome(WAITS if groups else DONE, data, lines)


def show(
    call: Call,
    routes: tuple[str, ...] = (),
    causes: tuple[str, ...] = (),
    external_ids: tuple[str, ...] = (),
    limit: int = 20,
) -> Outcome:
    """Records with everything that is known of them, masked in nothing: the terminal is the admin's own."""
    from hub.exchange.hub import Hub
    from hub.store import quarantined as store

    with Hub.open(call.home) as hub:
        wanted = choice(hub, routes, causes, external_ids)
        with hub.store.read() as conn:
            found = store.quarantined(conn, wanted, limit)
            decided = store.decisions(conn, wanted) if wanted.external_ids else []
    data = {
        "records": [{**_data(call, item), "payload": _payload(item)} for item in found],
        "decisions": [{**_data(call, item), "payload": _payload(item), **_decision(item)} for item in decided],
    }
    lines = [line for item in found for line in _whole(call, item)]
    lines += [line for item in decided for line in _decided(call, item)]
    return Outcome(WAITS if found else DONE, data, lines or [call.text("quarantine_none_such")])


def export(
    call: Call, path: str, routes: tuple[str, ...] = (), causes: tuple[str, ...] = (), *, force: bool = False
) -> Outcome:
    """Write the file with a column for decisions."""
    from hub.exchange.hub import Hub
    from hub.reports.quarantine_book import export as write

    with Hub.open(call.home) as hub:
        written, number = write(hub, Path(path), choice(hub, routes, causes), call.lang, force=force)
    lines = [call.text("quarantine_exported", path=written, number=number)]
    return Outcome(WAITS if number else DONE, {"path": str(written), "records": number}, lines)


def bring(call: Call, path: str, *, apply: bool = False) -> Outcome:
    """Take a file with decisions: a report of what would come of it, or the doing of it."""
    from hub.cli import replayed
    from hub.exchange.decisions import check
    from hub.exchange.hub import Hub
    from hub.exchange.replay import replay as run
    from hub.exchange.service import SCHEMA_SECONDS
    from hub.reports.quarantine_book import read

    with Hub.open(call.home) as hub:
        hub.believe_schemas(SCHEMA_SECONDS)
        checked = check(hub, read(Path(path)))
        refused = apply and bool(checked.mistakes)
        report = None if refused else run(hub, checked.orders, apply=apply, by=getpass.getuser())
    return replayed.of_file(call, checked, report, applied=apply)


def replay(
    call: Call,
    routes: tuple[str, ...] = (),
    causes: tuple[str, ...] = (),
    external_ids: tuple[str, ...] = (),
    *,
    apply: bool = False,
) -> Outcome:
    """Replay what is chosen, or only tell what would come of it."""
    from hub.cli import replayed
    from hub.exchange.hub import Hub
    from hub.exchange.replay import chosen
    from hub.exchange.replay import replay as run

    with Hub.open(call.home) as hub:
        wanted = choice(hub, routes, causes, external_ids)
        with hub.store.read() as conn:
            orders = chosen(conn, wanted)
        report = run(hub, orders, apply=apply, by=getpass.getuser())
    return replayed.of_choice(call, report, applied=apply)


def reason(call: Call, item: Quarantined, **shown: str) -> tuple[str, str]:
    """Why a record does not pass, and what to do; ``shown`` replaces what differs between records of one cause."""
    params = {**item.params, "field": item.field, "value": item.value, "stream": item.stream, **shown}
    return sentence(item.reason_code, call.lang, **params), advice(item.reason_code, call.lang, **params)


def _group(call: Call, item: Group) -> dict[str, Any]:
    said, advise = _of_group(call, item)
    return {
        "route": item.route,
        "reason": item.reason_code,
        "field": item.field,
        "number": item.number,
        "oldest": item.oldest.isoformat(),
        "attempts": item.attempts,
        "sentence": said,
        "advice": advise,
        "samples": [_data(call, sample) for sample in item.samples],
    }


def _of_group(call: Call, item: Group) -> tuple[str, str]:
    return reason(call, item.samples[0], **({} if item.number == 1 else {"value": "…"}))


def _group_lines(call: Call, item: Group) -> list[str]:
    """One line of the cause, its advice, then a few of its records."""
    said, advise = _of_group(call, item)
    since, told = f"{item.oldest:%d.%m.%Y}", {"route": item.route, "number": item.number, "attempts": item.attempts}
    lines = [call.text("quarantine_cause", since=since, reason=said, cause=item.reason_code, **told)]
    lines += [f"  {advise}"] if advise else []
    lines += [call.text("quarantine_record", **_shown(sample)) for sample in item.samples]
    more = item.number - len(item.samples)
    return [*lines, call.text("quarantine_more", number=more), ""] if more else [*lines, ""]


def _data(call: Call, item: Quarantined) -> dict[str, Any]:
    said, advise = reason(call, item)
    return {
        "route": item.route,
        "stream": item.stream,
        "external_id": item.external_id,
        "label": item.label,
        "reason": item.reason_code,
        "field": item.field,
        "value": item.value,
        "sentence": said,
        "advice": advise,
        "attempts": item.attempts,
        "first_at": item.first_at.isoformat(),
        "last_at": item.last_at.isoformat(),
    }


def _shown(item: Quarantined) -> dict[str, Any]:
    return {
        "stream": item.stream,
        "id": item.external_id,
        "label": item.label or "—",
        "field": item.field or "—",
        "value": item.value or "—",
        "attempts": item.attempts,
        "since": f"{item.first_at:%d.%m.%Y}",
    }


def _payload(item: Quarantined) -> Any:
    try:
        return json.loads(item.payload)
    except ValueError:
        return item.payload


def _pretty(item: Quarantined) -> list[str]:
    """The record as it came; control characters cannot reach the terminal."""
    return [f"  {line}" for line in json.dumps(_payload(item), ensure_ascii=False, indent=2).splitlines()]


def _whole(call: Call, item: Quarantined) -> list[str]:
    said, advise = reason(call, item)
    head = call.text("quarantine_record", **_shown(item)).strip()
    return [
        head,
        f"  {item.route} · {item.reason_code} · {said}",
        *([f"  {advise}"] if advise else []),
        *_pretty(item),
        "",
    ]


def _decision(item: Quarantined) -> dict[str, Any]:
    return {"state": item.state, "decided": item.params.get("decided", {})}


def _decided(call: Call, item: Quarantined) -> list[str]:
    told = item.params.get("decided", {})
    head = call.text(f"quarantine_{item.state}", by=told.get("by", "—"), at=told.get("at", "—"), id=item.external_id)
    steps = [
        call.text("quarantine_step", **{name: step.get(name) for name in ("at", "by", "field", "before", "after")})
        for step in told.get("steps", ())
    ]
    return [head, *steps, *_pretty(item), ""]

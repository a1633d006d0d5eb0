"""``obmen merge``, ``unmerge``, ``split`` and ``judge``: duplicates put together and taken apart; first as a plan."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.merge_text import data, lines
from hub.cli.parser import argument, command, option

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.exchange.merging.judgements import Judged
    from hub.exchange.merging.log import Entry
    from hub.exchange.merging.told import Moved

#: Clients alone are merged.
_ENTITY = "party"
_VERDICTS = ("same", "different", "unsure")


def commands(lang: str) -> list[click.Command]:
    """The four commands."""
    note = option(lang, "--note", "note", metavar="TEXT", default=None)
    apply = option(lang, "--apply", "apply", is_flag=True)
    limit = option(lang, "--limit", "limit", type=click.IntRange(1, 1000), metavar="N", default=50, show_default=True)
    despite = option(lang, "--force", "despite", is_flag=True)
    record = option(lang, "--record", "merged_record", metavar="ID", default=None)
    cascade = option(lang, "--cascade", "cascade", is_flag=True)
    again = option(lang, "--no-judgement", "no_judgement", is_flag=True)
    run = click.Argument(["run"], metavar="[RUN]", type=click.IntRange(1), required=False)
    losers = click.Argument(["losers"], metavar="LOSER…", nargs=-1, required=True)
    keys = click.Argument(["keys"], metavar="KEY…", nargs=-1, required=True)
    verdict = click.Argument(["verdict"], metavar="[VERDICT]", type=click.Choice(_VERDICTS), required=False)
    gone, taken = option(lang, "--revoke", "revoke", is_flag=True), option(lang, "--revoked", "revoked", is_flag=True)
    survivor, ident = argument("survivor", "SURVIVOR", required=True), argument("ident", "RECORD", required=True)
    pair = [argument("one", "ONE"), argument("other", "OTHER"), verdict]
    return [
        command(lang, "merge", merge, [survivor, losers, note, despite, apply, limit]),
        command(lang, "unmerge", unmerge, [run, record, cascade, again, note, apply, limit]),
        command(lang, "split", split, [ident, keys, note, again, apply, limit]),
        command(lang, "judge", judge, [*pair, note, gone, taken]),
    ]


def merge(
    call: Call,
    survivor: str,
    losers: Sequence[str],
    note: str | None = None,
    *,
    despite: bool = False,
    apply: bool = False,
    limit: int = 50,
) -> Outcome:
    """Plan or carry out. What speaks against it makes the exit code of a plan 1."""
    from hub.exchange.hub import Hub
    from hub.exchange.merging import merge as service

    with Hub.open(call.home) as hub:
        asked = service.ask(hub, _ENTITY, survivor, losers, by=getpass.getuser(), reason=note, confirm=despite)
        report = service.merge(hub, asked) if apply else service.plan(hub, asked)
    return _outcome(call, report, limit, waits=bool(report.vetoes) and not apply and not despite)


def unmerge(
    call: Call,
    run: int | None = None,
    merged_record: str | None = None,
    note: str | None = None,
    *,
    cascade: bool = False,
    no_judgement: bool = False,
    apply: bool = False,
    limit: int = 50,
) -> Outcome:
    """List what was merged and split, or undo it."""
    from hub.exchange.hub import Hub
    from hub.exchange.merging import unmerge as service

    with Hub.open(call.home) as hub:
        if run is None and merged_record is None:
            return _list(call, hub, limit)
        wish: dict[str, Any] = {"by": getpass.getuser(), "cascade": cascade, "judge": not no_judgement, "reason": note}
        if run is not None:
            chosen = service.of_run(hub, run, **wish)
        else:
            chosen = service.of_record(hub, _ENTITY, str(merged_record), **wish)
        report = service.unmerge(hub, chosen) if apply else service.plan(hub, chosen)
    return _outcome(call, report, limit, waits=any(stay.reason == "link_moved" for stay in report.stays))


def split(
    call: Call,
    ident: str,
    keys: Sequence[str],
    note: str | None = None,
    *,
    no_judgement: bool = False,
    apply: bool = False,
    limit: int = 50,
) -> Outcome:
    """Plan or carry out."""
    from hub.exchange.hub import Hub
    from hub.exchange.merging import split as service

    with Hub.open(call.home) as hub:
        asked = service.ask(hub, _ENTITY, ident, keys, by=getpass.getuser(), reason=note, judge=not no_judgement)
        report = service.split(hub, asked) if apply else service.plan(hub, asked)
    return _outcome(call, report, limit)


def judge(
    call: Call,
    one: str | None = None,
    other: str | None = None,
    verdict: str | None = None,
    note: str | None = None,
    *,
    revoke: bool = False,
    revoked: bool = False,
) -> Outcome:
    """Say something of a pair, take it back, or list what was said: of all, or of one record."""
    from hub.exchange.hub import Hub
    from hub.exchange.merging import judgements as service

    by = getpass.getuser()
    if (verdict is None) == (other is not None and not revoke) or (revoke and verdict is not None):
        raise click.UsageError(call.text("judge_call"))
    with Hub.open(call.home) as hub:
        zone = ZoneInfo(hub.settings.company_timezone)
        if one is None or other is None:
            said = service.judgements(hub, _ENTITY, one, every=revoked)
            told = [_said(call, each, zone) for each in said]
            return Outcome(DONE, {"judgements": [asdict(each) for each in said]}, told or [call.text("judge_none")])
        if revoke:
            done = service.revoke(hub, _ENTITY, one, other, by=by)
            last = call.text("judge_taken", run=done.run_id)
        else:
            done = service.judge(hub, _ENTITY, one, other, verdict, by=by, note=note)  # type: ignore[arg-type]
            last = call.text("judge_done", run=done.run_id) if done.run_id else call.text("judge_same")
    return Outcome(DONE, asdict(done), [_said(call, done, zone), last])


def _outcome(call: Call, report: Moved, limit: int, *, waits: bool = False) -> Outcome:
    return Outcome(WAITS if waits else DONE, data(call, report), list(lines(call, report, limit)))


def _list(call: Call, hub: Hub, limit: int) -> Outcome:
    """The newest merges and splits."""
    from hub.exchange.merging import log
    from hub.exchange.which import label_of

    zone = ZoneInfo(hub.settings.company_timezone)
    with hub.store.read() as conn:
        found = log.entries(conn, limit=limit)
        labels = {
            number: label_of(conn, entry.entity, number)
            for entry in found
            for number in (entry.record_id, entry.other_id)
        }
    told = [_entry(call, entry, labels, zone) for entry in found]
    plain = [{name: value for name, value in asdict(entry).items() if name != "before"} for entry in found]
    return Outcome(DONE, {"merges": plain}, told or [call.text("merges_none")])


def _entry(call: Call, entry: Entry, labels: dict[int, str], zone: ZoneInfo) -> str:
    undone = call.text("merges_undone", run=entry.undone_run, by=entry.undone_by) if entry.undone_run else ""
    return call.text(
        f"merges_{entry.op}",
        run=entry.run_id,
        at=f"{entry.at.astimezone(zone):%d.%m.%Y %H:%M}",
        by=entry.by,
        record=entry.record_id,
        label=labels[entry.record_id],
        other=entry.other_id,
        other_label=labels[entry.other_id],
        note=f" ({entry.reason or entry.rule})" if entry.reason or entry.rule else "",
        undone=undone,
    )


def _said(call: Call, done: Judged, zone: ZoneInfo) -> str:
    said = done.judgement
    gone = ""
    if said.revoked_at is not None:
        at = f"{said.revoked_at.astimezone(zone):%d.%m.%Y %H:%M}"
        gone = call.text("judge_revoked", by=said.revoked_by, at=at)
    return call.text(
        "judge_line",
        one=said.one,
        label=done.labels[0],
        other=said.other,
        other_label=done.labels[1],
        verdict=call.text(f"verdict_{said.verdict}"),
        by=said.by,
        at=f"{said.at.astimezone(zone):%d.%m.%Y %H:%M}",
        note=f" ({said.note})" if said.note else "",
        revoked=gone,
    )

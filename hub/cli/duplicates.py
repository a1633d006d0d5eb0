"""``obmen duplicates``: pairs of clients that may be one; decided one by one, by what they share, or in a file."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import DONE, WAITS, WRONG, Call, Outcome
from hub.cli.faults import fault_data, fault_lines
from hub.cli.parser import argument, command, family, option
from hub.model.errors import NeedsPerson

if TYPE_CHECKING:
    from hub.exchange.duplicates.decide import Decided, Decision, Word
    from hub.exchange.duplicates.queue import Doubt, Pattern, Wanted
    from hub.exchange.hub import Hub

_OF = "duplicates"
_BANDS = ("auto", "review")


def commands(lang: str) -> list[click.Command]:
    """The family of commands."""
    from hub.exchange.duplicates.decide import WORDS

    records = option(lang, "--record", "records", metavar="ID", multiple=True)
    patterns = option(lang, "--pattern", "patterns", metavar="WORDS", multiple=True)
    bands = option(lang, "--band", "bands", type=click.Choice(_BANDS), multiple=True)
    chosen = [records, patterns, bands]
    apply = option(lang, "--apply", "apply", is_flag=True)
    limit = option(
        lang, "--limit", "limit", type=click.IntRange(1, 100_000), metavar="N", default=50, show_default=True
    )
    pictures = option(lang, "--pictures", "pictures", metavar="DIR", default=None)
    file, force = argument("path", "FILE.xlsx", required=True), option(lang, "--force", "force", is_flag=True)
    size = option(lang, "--size", "size", type=click.IntRange(1, 1000), metavar="N", default=50, show_default=True)
    table = option(lang, "--weights", "weights", metavar="NAME", default=None)
    word = click.Argument(["word"], type=click.Choice(WORDS), metavar="|".join(WORDS))
    members = [
        command(lang, "list", listing, [*chosen, limit], of=_OF),
        command(lang, "show", show, [*chosen, limit, pictures], of=_OF),
        command(lang, "decide", decide, [word, *chosen, apply], of=_OF),
        command(lang, "export", export, [file, *chosen, force], of=_OF),
        command(lang, "import", bring, [file, apply], of=_OF),
        command(lang, "compare", compare, [table], of=_OF),
        command(lang, "refit", refit, [apply], of=_OF),
        command(lang, "sample", sample, [file, size, force], of=_OF),
        command(lang, "verify", verify, [file], of=_OF),
    ]
    return [family(lang, _OF, members)]


def _wanted(hub: Hub, records: Sequence[str], patterns: Sequence[str], bands: Sequence[str]) -> Wanted:
    from hub.exchange.duplicates.queue import Wanted
    from hub.exchange.which import the_one

    with hub.store.read() as conn:
        numbers = tuple(the_one(conn, hub, "party", ident) for ident in records)
    return Wanted(tuple(patterns), tuple(bands), numbers)


def listing(
    call: Call,
    records: tuple[str, ...] = (),
    patterns: tuple[str, ...] = (),
    bands: tuple[str, ...] = (),
    limit: int = 50,
) -> Outcome:
    """The queue by what pairs share, and the pairs on which most hangs."""
    from hub.exchange.duplicates.queue import doubts
    from hub.exchange.duplicates.queue import patterns as grouped
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        found = doubts(hub, _wanted(hub, records, patterns, bands))
        never = not found and _never_compared(hub)
    groups = grouped(found)
    lines = [_pattern_line(call, one) for one in groups[:20]]
    lines += ["", *(line for one in found[:limit] for line in _lines(call, one)), call.text("duplicates_how")]
    if not found:
        lines = [call.text("duplicates_never" if never else "duplicates_empty")]
    data = {"pairs": len(found), "patterns": [_pattern(one) for one in groups]}
    return Outcome(WAITS if found else DONE, {**data, "first": [_data(call, one) for one in found[:limit]]}, lines)


def _never_compared(hub: Hub) -> bool:
    from sqlalchemy import select

    from hub.store import duplicates

    with hub.store.read() as conn:
        return conn.execute(select(duplicates.statistics.c.id)).first() is None


def show(
    call: Call,
    records: tuple[str, ...] = (),
    patterns: tuple[str, ...] = (),
    bands: tuple[str, ...] = (),
    limit: int = 50,
    pictures: str | None = None,
) -> Outcome:
    """Pairs with all that speaks for them and against."""
    from hub.exchange.duplicates.queue import doubts
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        found = doubts(hub, _wanted(hub, records, patterns, bands), limit)
    lines = [line for one in found for line in _lines(call, one)] or [call.text("duplicates_empty")]
    if pictures is not None:
        lines.append(call.text("duplicates_drawn", number=_draw(call, found, Path(pictures)), path=pictures))
    return Outcome(WAITS if found else DONE, {"pairs": [_data(call, one) for one in found]}, lines)


def _draw(call: Call, found: Sequence[Doubt], folder: Path) -> int:
    """A picture of each score; how many."""
    from dedup.explain import waterfall

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            (folder / f"{one.one}-{one.other}.svg").write_text(waterfall(one.edge, call.lang), encoding="utf-8")
    except OSError as error:
        raise NeedsPerson("book_unwritable", path=folder, detail=error.strerror) from error
    return len(found)


def decide(
    call: Call,
    word: Word,
    records: tuple[str, ...] = (),
    patterns: tuple[str, ...] = (),
    bands: tuple[str, ...] = (),
    *,
    apply: bool = False,
) -> Outcome:
    """One word on all that is chosen."""
    from hub.exchange.duplicates.decide import decide as run
    from hub.exchange.duplicates.decide import of
    from hub.exchange.duplicates.queue import doubts
    from hub.exchange.hub import Hub

    if not (records or patterns or bands):
        raise NeedsPerson("duplicates_which")
    with Hub.open(call.home) as hub:
        decisions = of(doubts(hub, _wanted(hub, records, patterns, bands)), word)
        done = run(hub, decisions, by=getpass.getuser()) if apply else None
    return told(call, decisions, done)


def told(call: Call, decisions: Sequence[Decision], done: Decided | None) -> Outcome:
    """What came of decisions, or would come of them."""
    if done is None:
        lines = [call.text("duplicates_would" if decisions else "duplicates_empty", number=len(decisions))]
        data: dict[str, Any] = {"applied": False, "run": None, "decisions": len(decisions)}
        return Outcome(WAITS if decisions else DONE, data, lines)
    numbers = {word: done.by_word.get(word, 0) for word in ("merge", "different", "later")}
    merged = numbers.pop("merge")
    lines = [call.text("duplicates_done", run=done.run_id or "—", merged=merged, **numbers)]
    lines += [
        call.text("duplicates_refused", one=one, other=other, why=error.sentence(call.lang))
        for one, other, error in done.refused
    ]
    lines += [call.text("duplicates_gone", number=done.gone)] if done.gone else []
    refused = [{"one": one, "other": other, "code": error.code} for one, other, error in done.refused]
    data = {"applied": True, "run": done.run_id, "by_word": done.by_word, "gone": done.gone, "refused": refused}
    return Outcome(WAITS if done.refused else DONE, data, lines)


def export(
    call: Call,
    path: str,
    records: tuple[str, ...] = (),
    patterns: tuple[str, ...] = (),
    bands: tuple[str, ...] = (),
    *,
    force: bool = False,
) -> Outcome:
    """Write the file with a column for decisions."""
    from hub.exchange.hub import Hub
    from hub.reports.duplicates_book import export_duplicates

    with Hub.open(call.home) as hub:
        wanted = _wanted(hub, records, patterns, bands)
        written, number = export_duplicates(hub, Path(path), wanted, call.lang, force=force)
    lines = [call.text("duplicates_exported", path=written, number=number)]
    return Outcome(WAITS if number else DONE, {"path": str(written), "records": number}, lines)


def bring(call: Call, path: str, *, apply: bool = False) -> Outcome:
    """Take a file with decisions."""
    from hub.exchange.duplicates.decide import check
    from hub.exchange.duplicates.decide import decide as run
    from hub.exchange.hub import Hub
    from hub.reports.duplicates_book import read_duplicates

    with Hub.open(call.home) as hub:
        checked = check(hub, read_duplicates(Path(path)))
        refused = apply and bool(checked.mistakes)
        done = run(hub, checked.decisions, by=getpass.getuser()) if apply and not refused else None
    data, lines = fault_data(call, checked), fault_lines(call, checked)
    if refused:
        return Outcome(WRONG, {**data, "applied": False}, [*lines, call.text("import_refused")])
    outcome = told(call, checked.decisions, done)
    code = max(outcome.exit_code, WAITS if checked.mistakes or checked.late else DONE)
    return Outcome(code, {**data, **outcome.data}, [*lines, *outcome.lines])


def compare(call: Call, weights: str | None = None) -> Outcome:
    """Everything anew."""
    from hub.exchange.duplicates.compare import compare_all
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        done = compare_all(hub, by=getpass.getuser(), weights=weights)
    found = {name: getattr(done, name) for name in ("units", "pairs", "kept", "groups")}
    return Outcome(DONE, found, [call.text("duplicates_compared", **found)])


def refit(call: Call, *, apply: bool = False) -> Outcome:
    """Weights as persons' judgements have them."""
    from hub.exchange.duplicates.refit import refit as run
    from hub.exchange.hub import Hub
    from hub.reports.refit import refit_lines

    with Hub.open(call.home) as hub:
        done = run(hub, by=getpass.getuser(), apply=apply)
    fit = done.fit
    data = {name: getattr(fit, name) for name in ("pairs", "same", "before", "after", "better", "start")}
    data |= {"moved": {f"{fact}.{level}": by for (fact, level), by in fit.moved.items()}, "version": done.version}
    return Outcome(WAITS if fit.better and not apply else DONE, data, refit_lines(done, call.lang))


def sample(call: Call, path: str, size: int = 50, *, force: bool = False) -> Outcome:
    """Write some automatic merges to a file, without saying why they were made."""
    from datetime import date

    from hub.exchange.hub import Hub
    from hub.reports.duplicates_book import export_sample

    with Hub.open(call.home) as hub:
        seed = date.today().toordinal()  # noqa: DTZ011 - another one each day
        written, number = export_sample(hub, Path(path), size, seed, call.lang, force=force)
    lines = [call.text("duplicates_sampled", path=written, number=number)]
    return Outcome(WAITS if number else DONE, {"path": str(written), "records": number}, lines)


def verify(call: Call, path: str) -> Outcome:
    """Take the sample back: wrong merges are undone, and each rule is told how often it was right."""
    from hub.exchange.duplicates.sample import judge, precision
    from hub.exchange.hub import Hub
    from hub.reports.duplicates_book import read_sample

    with Hub.open(call.home) as hub:
        verdicts = read_sample(Path(path))
        undone = judge(hub, verdicts, by=getpass.getuser())
        with hub.store.read() as conn:
            found = precision(conn)
    lines = [call.text("duplicates_verified", number=len(verdicts), undone=len(undone))]
    lines += [
        call.text(
            "duplicates_rule_off" if one.off else "duplicates_rule",
            rule=one.rule,
            right=one.right,
            looked=one.looked,
            low=f"{one.low:.1%}",
            high=f"{one.high:.1%}",
        )
        for one in found
    ]
    rules = [
        {"rule": one.rule, "looked": one.looked, "right": one.right, "low": one.low, "high": one.high, "off": one.off}
        for one in found
    ]
    return Outcome(DONE, {"looked": len(verdicts), "undone": undone, "rules": rules}, lines)


def _pattern(one: Pattern) -> dict[str, Any]:
    return {"pattern": one.pattern, "number": one.number, "affects": one.affects}


def _pattern_line(call: Call, one: Pattern) -> str:
    from hub.exchange.duplicates.queue import pattern_told

    facts = pattern_told(one.pattern, call.lang)
    return call.text("duplicates_pattern", number=one.number, facts=facts, affects=one.affects, pattern=one.pattern)


def _data(call: Call, one: Doubt) -> dict[str, Any]:
    from dedup.explain import why as because

    names = ("one", "other", "labels", "systems", "band", "weight", "pattern", "affects", "put_off")
    plain = {name: getattr(one, name) for name in names}
    parts = [part._asdict() for part in one.edge.parts]
    return plain | {"rule": one.edge.rule, "parts": parts, "because": because(one.edge, call.lang)}


def _lines(call: Call, one: Doubt) -> list[str]:
    from dedup.explain import why as because

    pair = {"one": one.one, "other": one.other, "label_one": one.labels[0], "label_other": one.labels[1]}
    systems = {"systems_one": one.systems[0], "systems_other": one.systems[1]}
    lines = [call.text("duplicates_pair", **pair, **systems, affects=one.affects)]
    lines.append(f"    {because(one.edge, call.lang)}")
    return lines + ([call.text("duplicates_put_off", who=one.put_off)] if one.put_off else [])

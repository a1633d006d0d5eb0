"""A summary as plain text (terminal, mail) and as Markdown (Dagster)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.model.entities import ENTITIES
from hub.model.records import OUTCOMES, PUSHED
from hub.reports.model import RouteLine, Summary
from hub.reports.reasons import unfilled, why
from hub.texts import advice, sentence

Table = list[list[str]]


def number(value: int, lang: str) -> str:
    """``20 000`` in Russian, ``20,000`` in English."""
    return f"{value:,}".replace(",", " ") if lang == "ru" else f"{value:,}"


def duration(seconds: float) -> str:
    """``12 s``, ``3:05`` or ``1:02:03``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(at: datetime | None, zone: str, *, today: datetime | None = None) -> str:
    """``14.03 02:41`` in the zone; the time alone where ``today`` is the same day."""
    if at is None:
        return "…"
    local = at.astimezone(ZoneInfo(zone))
    if today is not None and local.date() == today.astimezone(ZoneInfo(zone)).date():
        return f"{local:%H:%M}"
    return f"{local:%d.%m %H:%M}"


def entity_name(entity: str, lang: str) -> str:
    """What people call the entity."""
    known = ENTITIES.get(entity)
    return (known.ru if lang == "ru" else known.en) if known else entity


def to_usual(line: RouteLine) -> str:
    """How what came compares to what usually comes, in percent; a dash where nothing is usual yet."""
    if not line.usual:
        return "–"
    return f"{(line.counters.received - line.usual) * 100 / line.usual:+.0f} %".replace("-", "−")


class _Words:
    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, code: str, **params: object) -> str:
        return sentence(f"report_{code}", self.lang, **params)


def _title(summary: Summary, say: _Words) -> str:
    red = sum(item.severity == "red" for item in summary.todo)
    verdict = say(f"verdict_{summary.verdict}", red=red, yellow=len(summary.todo) - red)
    span = (
        f"{moment(summary.started_at, summary.zone)}–{moment(summary.ended_at, summary.zone, today=summary.started_at)}"
    )
    return say("title", mode=say(f"mode_{summary.mode}"), run=summary.run_id, time=span, verdict=verdict)


def _todo(summary: Summary, say: _Words, strong: Callable[[str], str]) -> list[str]:
    if not summary.todo:
        return [say("todo_none")]
    lang = say.lang
    return [
        f"{position}. {strong(f'[{say(item.severity)}]')} {_ended(item.said[lang])} {item.advice[lang]}".rstrip()
        for position, item in enumerate(summary.todo, 1)
    ]


def _ended(said: str) -> str:
    """A sentence may end with words of the source, which need not end as sentences do."""
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def _freshness(summary: Summary, say: _Words) -> str:
    parts = []
    for item in summary.freshness:
        when = moment(item.at, summary.zone, today=summary.ended_at) if item.at else say("no_data")
        parts.append(f"{item.title} {when} {'✓' if item.fresh else '✗'}")
    return f"{say('freshness')}: {' · '.join(parts)}"


def _comms(summary: Summary, say: _Words) -> list[str]:
    """Letters, calls and meetings of the last days in one line, if there are any."""
    told = summary.comms
    names = ("known", "ambiguous", "unmatched", "missed", "leads")
    return [say("comms", **{name: number(getattr(told, name), say.lang) for name in names})] if told.anything else []


def _duplicates(summary: Summary, say: _Words) -> list[str]:
    """How many pairs of clients may be one, if there are any."""
    told = summary.duplicates
    names = ("auto", "review")
    return [say("duplicates", **{name: number(told.get(name, 0), say.lang) for name in names})] if told else []


def _routes(summary: Summary, say: _Words) -> Table:
    """Counters by route with a line of totals; columns that are zero everywhere are left out."""
    totals = summary.totals
    always = {"created", "updated", "unchanged"}
    outcomes = [name for name in OUTCOMES if name in always or getattr(totals, name)]
    gone = [name for name in ("deleted", "restored") if any(getattr(line, name) for line in summary.routes)]
    names = ["route", "received", *outcomes, *gone, "seconds", "usual", "state"]
    table = [[say(f"col_{name}") for name in names]]
    for line in summary.routes:
        counts = [number(getattr(line.counters, name), say.lang) for name in ("received", *outcomes)]
        counts += [number(getattr(line, name), say.lang) for name in gone]
        label = f"{line.route} · {entity_name(line.entity, say.lang) if line.entity else say('feed_rest')}"
        table.append([label, *counts, duration(line.seconds), to_usual(line), say(f"state_{line.state}")])
    counts = [number(getattr(totals, name), say.lang) for name in ("received", *outcomes)]
    counts += [number(sum(getattr(line, name) for line in summary.routes), say.lang) for name in gone]
    table.append([say("total"), *counts, duration(sum(line.seconds for line in summary.routes)), "", ""])
    return table


def _balance(summary: Summary, say: _Words) -> list[str]:
    wrong = [line.route for line in summary.routes if not line.counters.balanced]
    lines = [say("balance_bad", routes=", ".join(wrong)) if wrong else say("balance_good")]
    if summary.totals.skipped_by:
        counted = sorted(summary.totals.skipped_by.items(), key=lambda item: (-item[1], item[0]))
        reasons = "; ".join(f"{sentence(f'skip_{reason}', say.lang)} — {number(n, say.lang)}" for reason, n in counted)
        lines.append(say("skipped", reasons=reasons))
    for name in ("released", "deleted", "restored"):
        found = sum(getattr(line, name) for line in summary.routes)
        lines += [say(name, number=number(found, say.lang))] if found else []
    if summary.later:
        lines.append(say("later", number=len(summary.later), routes=", ".join(summary.later)))
    return lines


def _quarantine(summary: Summary, say: _Words) -> Table:
    table = [[say(f"col_{name}") for name in ("route", "number", "oldest", "attempts", "reason")]]
    for item in summary.quarantine:
        fields = ", ".join(item.fields) or "…"
        reason = unfilled(sentence(item.reason, say.lang, field=fields, value="…"))
        oldest = moment(item.oldest, summary.zone)
        table.append([item.route, number(item.number, say.lang), oldest, str(item.attempts), reason])
    return table


def _parked(summary: Summary, say: _Words) -> Table:
    table = [[say(f"col_{name}") for name in ("route", "number", "oldest", "waits")]]
    for item in summary.parked:
        oldest = moment(item.oldest, summary.zone)
        table.append([item.route, number(item.number, say.lang), oldest, f"{item.system}: {item.stream}"])
    return table


def _pushes(summary: Summary, say: _Words) -> Table:
    """What became of what each route owed; columns that are zero everywhere are left out."""
    lines = [line for line in summary.pushes if line.counters.owed or line.state != "completed"]
    outcomes = [name for name in PUSHED if name == "confirmed" or any(getattr(line.counters, name) for line in lines)]
    heads = ["route", "owed", *(f"push_{name}" for name in outcomes), "writes", "seconds", "state"]
    table = [[say(f"col_{name}") for name in heads]]
    for line in lines:
        counts = [number(getattr(line.counters, name), say.lang) for name in ("owed", *outcomes)]
        label = f"{line.route} · {entity_name(line.entity, say.lang)}"
        writes = number(line.writes, say.lang)
        table.append([label, *counts, writes, duration(line.seconds), say(f"state_{line.state}")])
    return table if lines else []


def _owing(summary: Summary, say: _Words) -> Table:
    """What is still owed, with why."""
    table = [[say(f"col_{name}") for name in ("route", "number", "oldest", "standing", "reason")]]
    for item in summary.owing:
        said, _ = why(item.reason or item.state, say.lang, **item.params)
        oldest, state = moment(item.oldest, summary.zone), say(f"standing_{item.state}")
        table.append([item.route, number(item.number, say.lang), oldest, state, said])
    return table


def _pauses(summary: Summary, say: _Words) -> Table:
    table = [[say(f"col_{name}") for name in ("route", "direction", "until", "by", "reason")]]
    for item in summary.pauses:
        until = moment(item.until, summary.zone) if item.until else say("until_resumed")
        table.append([item.route, say(f"direction_{item.direction}"), until, item.by, item.reason])
    return table


def _aligned(table: Table) -> list[str]:
    """Columns of a terminal: the first to the left, numbers to the right, the last as it is."""
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  " + "  ".join([*cells, row[-1]]).rstrip())
    return lines


def _piped(table: Table) -> list[str]:
    """A Markdown table; numbers to the right, words to the left."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table]
    marks = ["---", *("---:" for _ in rows[0][1:-1]), "---"]
    return ["| " + " | ".join(row) + " |" for row in (rows[0], marks, *rows[1:])]


def plain(summary: Summary, lang: str) -> list[str]:
    """Lines for a terminal or a mail."""
    say = _Words(lang)
    if summary.verdict == "none":
        return [f"{say('none')} {advice('report_none', lang)}"]
    lines = [_title(summary, say), say("todo")]
    lines += [f" {line}" for line in _todo(summary, say, str)]
    lines += [_freshness(summary, say), *_comms(summary, say), *_duplicates(summary, say), ""]
    lines += [say("routes"), *_aligned(_routes(summary, say)), *_balance(summary, say)]
    for title, table in _sections(summary, say):
        lines += ["", title, *_aligned(table)]
    return lines


def markdown(summary: Summary, lang: str) -> str:
    """Markdown for Dagster's metadata."""
    say = _Words(lang)
    if summary.verdict == "none":
        return f"{say('none')} {advice('report_none', lang)}"
    lines = [f"### {_title(summary, say)}", "", f"**{say('todo')}**", ""]
    lines += _todo(summary, say, lambda text: f"**{text}**")
    said = [_freshness(summary, say), *_comms(summary, say), *_duplicates(summary, say)]
    lines += ["", *[part for line in said for part in (line, "")]]
    lines += [f"**{say('routes')}**", "", *_piped(_routes(summary, say)), ""]
    lines += _balance(summary, say)
    for title, table in _sections(summary, say):
        lines += ["", f"**{title}**", "", *_piped(table)]
    return "\n".join(lines)


def _sections(summary: Summary, say: _Words) -> Sequence[tuple[str, Table]]:
    found = []
    if summary.quarantine:
        found.append((say("quarantine_title"), _quarantine(summary, say)))
    if summary.parked:
        found.append((say("parked_title"), _parked(summary, say)))
    if pushes := _pushes(summary, say):
        found.append((say("pushes_title"), pushes))
    if summary.owing:
        found.append((say("owing_title"), _owing(summary, say)))
    if summary.pauses:
        found.append((say("pauses_title"), _pauses(summary, say)))
    return found

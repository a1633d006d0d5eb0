"""Progress: bars on a terminal, few lines anywhere else."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from hub.cli import progress
from hub.cli.call import Call
from hub.cli.progress import Bars, Lines, _bars, watching
from hub.exchange.pull import Progress
from hub.model.entities import ENTITIES

TITLES = {"ut.party": "Клиенты", "ut.unit": "Единицы"}


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def step(done: int, stream: str = "Catalog_Партнеры", route: str = "ut.party", total: int | None = 100) -> Progress:
    """Where a pull stands."""
    return Progress(route, stream, done, total, done, 1)


def lines() -> tuple[Lines, Clock, io.StringIO]:
    """A progress in lines with its clock and what it wrote."""
    clock, out = Clock(), io.StringIO()
    return Lines(Call("ru"), TITLES, out, clock), clock, out


def test_a_line_when_a_stream_ends_and_none_in_between() -> None:
    """A quick exchange writes one line per stream, its last one."""
    show, _, out = lines()
    for done in (10, 50, 100):
        show.show(step(done))
    show.show(step(7, "Catalog_Упаковки", "ut.unit", None))
    show.finish()
    show.finish()
    assert out.getvalue().splitlines() == [
        "ut.party · Клиенты · Catalog_Партнеры: 100/100 создано 100, изменено 1",
        "ut.unit · Единицы · Catalog_Упаковки: 7 создано 7, изменено 1",
    ]


def test_a_line_every_few_seconds_on_a_long_way() -> None:
    """A slow stream is heard of every five seconds, not at every page."""
    show, clock, out = lines()
    for second in range(12):
        clock.now = float(second)
        show.show(step(second))
    show.finish()
    assert [line.split(": ")[1].split("/")[0] for line in out.getvalue().splitlines()] == ["5", "10", "11"]


def test_nothing_done_is_nothing_told() -> None:
    """An exchange without a single page writes nothing."""
    show, _, out = lines()
    show.finish()
    assert out.getvalue() == ""


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_bars_follow_their_streams(monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    """One bar per stream with its count and effect; one without a known total ends when the next one begins."""
    console = Console(file=io.StringIO(), force_terminal=True, width=160)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    call = Call(lang)
    with _bars(call) as bars:
        shown = Bars(call, bars, TITLES)
        shown.show(step(3, "Catalog_Упаковки", "ut.unit", None))
        open_end = [task.finished for task in bars.tasks]
        shown.show(step(10))
        ended = [task.finished for task in bars.tasks]
        shown.show(step(100))
        done = [(task.description, task.completed, task.total, task.fields["effect"]) for task in bars.tasks]
    assert (open_end, ended) == ([False], [True, False])
    effect = {"ru": "создано {}, изменено 1", "en": "{} created, 1 updated"}[lang]
    assert done == [
        ("Единицы · Catalog_Упаковки", 3, 3, effect.format(3)),
        ("Клиенты · Catalog_Партнеры", 100, 100, effect.format(100)),
    ]


def test_a_terminal_gets_bars_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers stay whole on a narrow terminal; the name of the stream gives way."""
    out = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=out, force_terminal=True, width=90))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    hub = SimpleNamespace(routes={"ut.party": SimpleNamespace(entity=ENTITIES["party"])})
    with watching(Call("en"), hub) as show:  # type: ignore[arg-type]  # of a hub only its routes are looked at
        show(step(41, "Catalog_" + "Длинное" * 20))
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", [line for line in out.getvalue().splitlines() if "41/" in line][-1])
    assert "41/41" in last, "what is not counted to its end is ended"
    assert "41 created, 1 updated" in last
    assert "…" in last

"""What a person sees while an exchange works: bars on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from hub.cli.call import Call

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.exchange.pull import Progress as Step

#: Seconds between two lines about the same stream where there is no terminal.
EVERY = 5.0

Show = Callable[["Step"], None]


@contextmanager
def watching(call: Call, hub: Hub) -> Iterator[Show]:
    """Shows progress on standard error while the body runs; standard output stays free for the result."""
    titles = {code: route.entity.ru if call.lang == "ru" else route.entity.en for code, route in hub.routes.items()}
    if sys.stderr.isatty():
        with _bars(call) as bars:
            shown = Bars(call, bars, titles)
            yield shown.show
            shown.end()
    else:
        lines = Lines(call, titles, sys.stderr)
        yield lines.show
        lines.finish()


def _whole() -> Column:
    return Column(no_wrap=True, overflow="ignore")


def _bars(call: Call) -> Progress:
    return Progress(
        # On a narrow terminal the name gives way, not the numbers.
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=20),
        MofNCompleteColumn(table_column=_whole()),
        TextColumn("{task.fields[effect]}", table_column=_whole()),
        TimeElapsedColumn(table_column=_whole()),
        TimeRemainingColumn(table_column=_whole()),
        expand=True,
        console=Console(stderr=True),
        refresh_per_second=4,
        transient=call.as_json,
    )


class Bars:
    """One bar per stream; one whose stream the source does not count has no end until the next stream begins."""

    def __init__(self, call: Call, bars: Progress, titles: dict[str, str]) -> None:
        self.call = call
        self.bars = bars
        self.titles = titles
        self.tasks: dict[tuple[str, str], TaskID] = {}

    def show(self, step: Step) -> None:
        """Move the stream's bar."""
        key = (step.route, step.stream)
        if key not in self.tasks:
            self.end()
            description = f"{self.titles.get(step.route, step.route)} · {step.stream}"
            self.tasks[key] = self.bars.add_task(description, total=step.total, effect="")
        effect = self.call.text("effect", created=step.created, updated=step.updated)
        self.bars.update(self.tasks[key], completed=step.done, total=step.total, effect=effect)

    def end(self) -> None:
        """Fill the bars whose end was not known: nothing more comes."""
        for task in self.bars.tasks:
            if not task.finished:
                self.bars.update(task.id, total=task.completed)


class Lines:
    """A line when a stream ends, and every ``EVERY`` seconds on the way. ``clock``: seconds that only grow."""

    def __init__(
        self, call: Call, titles: dict[str, str], stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.call = call
        self.titles = titles
        self.stream = stream
        self.clock = clock
        self.last: Step | None = None
        self.told: Step | None = None
        self.told_at = clock()

    def show(self, step: Step) -> None:
        """Remember the step; tell it when it is time, and the one before it when its stream has ended."""
        if self.last is not None and (self.last.route, self.last.stream) != (step.route, step.stream):
            self.finish()
            self.told_at = self.clock()
        self.last = step
        if self.clock() - self.told_at >= EVERY:
            self._tell(step)

    def finish(self) -> None:
        """Tell the last step of a stream, unless it is told already."""
        if self.last is not None and self.last is not self.told:
            self._tell(self.last)

    def _tell(self, step: Step) -> None:
        self.told, self.told_at = step, self.clock()
        total = "" if step.total is None else f"/{step.total}"
        effect = self.call.text("effect", created=step.created, updated=step.updated)
        title = self.titles.get(step.route, step.route)
        print(f"{step.route} · {title} · {step.stream}: {step.done}{total} {effect}", file=self.stream, flush=True)

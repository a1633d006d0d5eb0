"""What an undo would set back on one card, and what it leaves alone; nothing is written here.

Who edited a cell after the run wins over the undo: the cell stays, and so do the cells that survive together with it.
A record that the run made is archived if nobody has touched it since. A pin of the run is taken back, a link that it
hung on the card goes to where it hung before. A run that was undone, and an undo that was, are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.engine.cells import LIVING, STATE, Pin, Value
from hub.engine.policies import Rules
from hub.exchange.cards.card import Card
from hub.exchange.undo_log import Backwards, MovedOn, Row, Unreadable

#: Rows after which a record counts as touched, or a cell as no longer what the run left.
_TOUCHES = frozenset({"conflict", "pin", "unpin", "link", "unlink"})
ARCHIVED, MERGED = "archived", "merged"


@dataclass(frozen=True, slots=True)
class Left:
    """A cell (``None``: the record, or a link of it) that stays as it is. ``row``: who touched it, if that is known.

    ``reason``: ``edited_later``, ``pinned_later``, ``moved_later``, ``moved_on``, ``unreadable``.
    """

    path: str | None
    reason: str
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class OldPin:
    """A pin that the run took back or replaced."""

    pin: Pin
    note: str | None


@dataclass(slots=True)
class Back:
    """One card on its way back. ``values``: cells and what they held before; ``free``: pins of the run to be taken
    back; ``again``: pins that it took away; ``moves``: links, and the records they hung on (``None``: none).
    """

    card: Card
    archive: bool = False
    values: dict[str, Value] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    again: dict[str, OldPin] = field(default_factory=dict)
    moves: dict[int, int | None] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    already: int = 0

    @property
    def anything(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self.archive or self.values or self.free or self.again or self.moves)


class Judge:
    """Judges one card. ``rows``: its whole log; ``ignored``: runs that count for nothing; ``pinned``: run that made
    each pin that holds; ``old``: the pin that the run took from a cell.
    """

    def __init__(
        self,
        card: Card,
        run_id: int,
        rows: Sequence[Row],
        ignored: frozenset[int],
        rules: Rules,
        backwards: Backwards,
        pinned: Mapping[str, int | None],
        old: Mapping[str, OldPin],
    ) -> None:
        self.card, self.rules, self.backwards, self.pinned, self.old = card, rules, backwards, pinned, old
        self.run_id, self.ignored = run_id, ignored
        self.mine = [row for row in rows if row.run_id == run_id]
        first = self.mine[0].id if self.mine else 0
        self.later = [row for row in rows if row.id > first and row.run_id != run_id and row.run_id not in ignored]
        self.back = Back(card)

    def judge(self) -> Back:
        """What is to be done with the card."""
        moved = [row for row in self.mine if row.op == "link"]
        made = any(row.op == "insert" for row in self.mine)
        if made and not any(row.before for row in moved):
            self._made()
            return self.back
        for row in moved:
            self._moved(row)
        words = {row.field: row for row in self.mine if row.op in {"pin", "unpin"} and row.field}
        for path in words:
            self._word(path)
        mine = [row for row in self.mine if row.changes and row.field not in words and not _merge(row)]
        try:
            cells = self.backwards.cells(mine) if not made else {}
        except Unreadable:
            cells = {}
            self.back.left.append(Left(None, "unreadable"))
        for path, rows in cells.items():
            self._cell(path, rows)
        return self.back

    def _made(self) -> None:
        """The run made the record."""
        touched = [row for row in self.later if row.changes or row.op in _TOUCHES]
        if self.card.cells.get(STATE) != LIVING:
            self.back.already += 1
        elif touched:
            self.back.left.append(Left(None, "edited_later", touched[0]))
        else:
            self.back.archive = True

    def _moved(self, row: Row) -> None:
        """The run hung a link on the card."""
        assert row.link_id is not None
        again = next((one for one in self.later if one.link_id == row.link_id and one.op in {"link", "unlink"}), None)
        if again is not None:
            self.back.left.append(Left(None, "moved_later", again))
        elif row.link_id not in self.card.links or (row.before is None and len(self.card.links) == 1):
            self.back.already += 1
        else:
            self.back.moves[row.link_id] = int(row.before) if row.before else None

    def _word(self, path: str) -> None:
        """The run pinned the cell, or took a pin of it back."""
        if path in self.pinned:
            if self.pinned[path] == self.run_id:
                self.back.free.append(path)
            elif self.pinned[path] not in self.ignored:
                self.back.left.append(Left(path, "pinned_later", self._after(path)))
                return
        else:
            after = self._after(path)
            if after is not None:
                self.back.left.append(Left(path, "edited_later", after))
                return
        if path in self.old:
            self.back.again[path] = self.old[path]
        elif path not in self.back.free:
            self.back.already += 1

    def _cell(self, path: str, rows: Sequence[Row]) -> None:
        """The run changed the cell."""
        now = self.card.cells.get(path)
        after = self._after(path, rows[0].id)
        try:
            if after is not None:
                self._later(path, rows, now, after)
            elif path in self.pinned and self.pinned[path] not in self.ignored:
                self.back.left.append(Left(path, "pinned_later"))
            else:
                before = self.backwards.before(path, rows, now)
                if before != now:
                    self.back.values[path] = before
        except MovedOn:
            self._later(path, rows, now, None)
        except (Unreadable, ValueError):  # no number where one should be: another kind of field by now
            self.back.left.append(Left(path, "unreadable"))

    def _later(self, path: str, rows: Sequence[Row], now: Value, after: Row | None) -> None:
        """The cell is not as the run left it: it is as before already, or somebody's."""
        if rows[0].field == path and self.backwards.parse(path, rows[0].before) == now:
            self.back.already += 1
        else:
            self.back.left.append(Left(path, "edited_later" if after else "moved_on", after))

    def _after(self, path: str, first: int = 0) -> Row | None:
        """What befell the cell, or one that survives with it, after the run's first step on it."""
        unit = self.rules.unit(path)
        for row in self.later:
            if row.id > first and row.field and (row.changes or row.op in {"conflict", "pin"}):
                cells = self.backwards.cells([row]) if row.changes else {row.field: [row]}
                if any(self.rules.unit(cell) == unit for cell in cells):
                    return row
        return None


def _merge(row: Row) -> bool:
    """A record that was emptied by a move of links, or filled again."""
    return row.field == STATE and MERGED in (row.before, row.after)

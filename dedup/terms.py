"""A small language of conditions on a pair, each said once and read twice: as SQL over many pairs, as Python over one.

In SQL a column of the two records begins with ``l_`` or ``r_``, what they share has a plain name; in Python ``l``,
``r`` and ``p`` are mappings. Texts are ASCII where distances are taken, and empty where nothing is known. The SQL is
DuckDB's; what takes no distance Spark understands too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Side = Mapping[str, Any]


class Pair(NamedTuple):
    """One pair: the two records by column, and what they share (see ``dedup.frequencies.shared``)."""

    l: Side  # noqa: E741  # the name it has in SQL
    r: Side
    p: dict[str, int]


class Test(NamedTuple):
    """A condition on a pair."""

    sql: str
    holds: Callable[[Pair], bool]

    def __and__(self, other: Test) -> Test:
        return Test(f"({self.sql} AND {other.sql})", lambda pair: self.holds(pair) and other.holds(pair))

    def __or__(self, other: Test) -> Test:
        return Test(f"({self.sql} OR {other.sql})", lambda pair: self.holds(pair) or other.holds(pair))

    def __invert__(self) -> Test:
        return Test(f"(NOT {self.sql})", lambda pair: not self.holds(pair))


def both(column: str) -> Test:
    """Both sides say something."""
    return Test(f"(l_{column} <> '' AND r_{column} <> '')", lambda pair: pair.l[column] != "" and pair.r[column] != "")


def neither(column: str) -> Test:
    """No side says anything."""
    return Test(f"(l_{column} = '' AND r_{column} = '')", lambda pair: pair.l[column] == "" and pair.r[column] == "")


def same(column: str) -> Test:
    """Both sides say the same."""
    return Test(
        f"(l_{column} <> '' AND l_{column} = r_{column})",
        lambda pair: pair.l[column] != "" and pair.l[column] == pair.r[column],
    )


def crossed(one: str, other: str) -> Test:
    """Each side has in ``one`` what the other has in ``other``."""
    return Test(
        f"(l_{one} <> '' AND l_{other} <> '' AND l_{one} = r_{other} AND l_{other} = r_{one})",
        lambda pair: (
            bool(pair.l[one] and pair.l[other]) and pair.l[one] == pair.r[other] and pair.l[other] == pair.r[one]
        ),
    )


def flag(column: str) -> Test:
    """A mark that either side bears."""
    return Test(f"(l_{column} OR r_{column})", lambda pair: bool(pair.l[column] or pair.r[column]))


def flags(column: str) -> Test:
    """A mark that both sides bear."""
    return Test(f"(l_{column} AND r_{column})", lambda pair: bool(pair.l[column] and pair.r[column]))


def flags_differ(column: str) -> Test:
    """A mark that one side bears."""
    return Test(f"(l_{column} <> r_{column})", lambda pair: pair.l[column] != pair.r[column])


def shared(column: str) -> Test:
    """Something of that kind is shared: its bits are above zero."""
    return Test(f"({column} > 0)", lambda pair: pair.p[column] > 0)


def shared_least(column: str, bits: int) -> Test:
    """Something of that kind is shared that is worth at least so many hundredths of a bit."""
    return Test(f"({column} >= {bits})", lambda pair: pair.p[column] >= bits)


def long(column: str, least: int) -> Test:
    """Both sides have at least so many letters."""
    return Test(
        f"(length(l_{column}) >= {least} AND length(r_{column}) >= {least})",
        lambda pair: len(pair.l[column]) >= least and len(pair.r[column]) >= least,
    )


def length_is(column: str, letters: int) -> Test:
    """Both sides have exactly so many letters."""
    return Test(
        f"(length(l_{column}) = {letters} AND length(r_{column}) = {letters})",
        lambda pair: len(pair.l[column]) == letters and len(pair.r[column]) == letters,
    )


def lengths_same(column: str) -> Test:
    """Both sides are of one length."""
    return Test(f"(length(l_{column}) = length(r_{column}))", lambda pair: len(pair.l[column]) == len(pair.r[column]))


def near(column: str, most: int) -> Test:
    """At most so many letters put in, left out or changed; two neighbours that changed places count as one."""
    gap = f"abs(length(l_{column}) - length(r_{column})) <= {most}"
    return Test(
        # The plain distance costs a sixth, and is at most twice the other.
        f"({gap} AND levenshtein(l_{column}, r_{column}) <= {2 * most}"
        f" AND damerau_levenshtein(l_{column}, r_{column}) <= {most})",
        lambda pair: distance(pair.l[column], pair.r[column], most) <= most,
    )


def begins(column: str) -> Test:
    """One side is one letter, and the other begins with it."""
    return Test(
        f"((length(l_{column}) = 1 AND substr(r_{column}, 1, 1) = l_{column})"
        f" OR (length(r_{column}) = 1 AND substr(l_{column}, 1, 1) = r_{column}))",
        lambda pair: any(len(a) == 1 and b[:1] == a for a, b in _two_ways(pair, column)),
    )


def cut_off(column: str) -> Test:
    """One side begins with all of the other."""
    return Test(
        f"(starts_with(l_{column}, r_{column}) OR starts_with(r_{column}, l_{column}))",
        lambda pair: any(a.startswith(b) for a, b in _two_ways(pair, column)),
    )


def initial(column: str) -> Test:
    """One side or both are one letter."""
    return Test(
        f"(length(l_{column}) = 1 OR length(r_{column}) = 1)",
        lambda pair: 1 in (len(pair.l[column]), len(pair.r[column])),
    )


def word_of(column: str) -> Test:
    """All of one side stands in the other as whole words on end."""
    return Test(
        f"(contains(concat(' ', l_{column}, ' '), concat(' ', r_{column}, ' '))"
        f" OR contains(concat(' ', r_{column}, ' '), concat(' ', l_{column}, ' ')))",
        lambda pair: any(f" {a} " in f" {b} " for a, b in _two_ways(pair, column)),
    )


def listed(column: str, others: str) -> Test:
    """What one side says is among the words between bars that the other side may mean."""
    return Test(
        f"(contains(l_{others}, concat('|', r_{column}, '|')) OR contains(r_{others}, concat('|', l_{column}, '|')))",
        lambda pair: f"|{pair.r[column]}|" in pair.l[others] or f"|{pair.l[column]}|" in pair.r[others],
    )


def kinds(one: str, other: str) -> Test:
    """One side is of the one kind, the other of the other."""
    return Test(
        f"((l_kind = '{one}' AND r_kind = '{other}') OR (l_kind = '{other}' AND r_kind = '{one}'))",
        lambda pair: (pair.l["kind"], pair.r["kind"]) in ((one, other), (other, one)),
    )


def reason(column: str, code: str) -> Test:
    """The fifth and sixth characters of a КПП, the reason, on either side."""
    return Test(
        f"(substr(l_{column}, 5, 2) = '{code}' OR substr(r_{column}, 5, 2) = '{code}')",
        lambda pair: code in (pair.l[column][4:6], pair.r[column][4:6]),
    )


def _two_ways(pair: Pair, column: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (pair.l[column], pair.r[column]), (pair.r[column], pair.l[column])


def distance(one: str, other: str, most: int) -> int:
    """Letters to put in, leave out, change or swap with their neighbour to get from one to the other (Damerau and
    Levenshtein).

    More than ``most`` is any number above it.
    """
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most:
        return most + 1
    far = len(one) + len(other)
    table = [[far] * (len(other) + 2), [far, *range(len(other) + 1)]]
    seen: dict[str, int] = {}
    for row, letter in enumerate(one, 1):
        now, matched = [far, row], 0
        for column, against in enumerate(other, 1):
            above, left = seen.get(against, 0), matched
            if letter == against:
                matched = column
            swap = table[above][left] + (row - above - 1) + 1 + (column - left - 1)
            now.append(min(table[row][column + 1] + 1, now[-1] + 1, table[row][column] + (letter != against), swap))
        if min(now) > most + 1:
            return most + 1
        seen[letter] = row
        table.append(now)
    return int(table[-1][-1])

"""A small language of conditions on a pair, each said once and read twice: as SQL over many pairs, as Python over one.

In SQL a column of the two records begins with ``l_`` or ``r_``, what they share has a plain name; in Python ``l``,
``r`` and ``p`` are mappings. Texts are ASCII where distances are taken, and empty where nothing is known. The SQL is
DuckDB's; what takes no distance Spark understands too. The Python is put together as a text and compiled once, for the
same reason as the SQL: a condition of twenty parts is one expression, not twenty calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Side = Mapping[str, Any]


class Pair(NamedTuple):
    """One pair: the two records by column, and what they share (see ``dedup.compare``)."""

    l: Side  # noqa: E741  # the name it has in SQL
    r: Side
    p: dict[str, int]


class Test(NamedTuple):
    """A condition on a pair, in both languages."""

    sql: str
    python: str

    def __and__(self, other: Test) -> Test:
        return Test(f"({self.sql} AND {other.sql})", f"({self.python} and {other.python})")

    def __or__(self, other: Test) -> Test:
        return Test(f"({self.sql} OR {other.sql})", f"({self.python} or {other.python})")

    def __invert__(self) -> Test:
        return Test(f"(NOT {self.sql})", f"(not {self.python})")


def first_of(tests: Sequence[Test]) -> Callable[[Side, Side, dict[str, int]], int]:
    """A function of the three parts of a pair: the number of the first test that holds, from 1 on; 0: none does."""
    numbers = " else ".join(f"{number} if {test.python}" for number, test in enumerate(tests, 1))
    compiled: Callable[[Side, Side, dict[str, int]], int] = eval(  # noqa: S307  # the texts are this module's own
        f"lambda l, r, p: {numbers} else 0", {"distance": distance}
    )
    return compiled


def both(column: str) -> Test:
    """Both sides say something."""
    return Test(f"(l_{column} <> '' AND r_{column} <> '')", f"(l[{column!r}] != '' and r[{column!r}] != '')")


def neither(column: str) -> Test:
    """No side says anything."""
    return Test(f"(l_{column} = '' AND r_{column} = '')", f"(l[{column!r}] == '' == r[{column!r}])")


def same(column: str) -> Test:
    """Both sides say the same."""
    return Test(f"(l_{column} <> '' AND l_{column} = r_{column})", f"('' != l[{column!r}] == r[{column!r}])")


def crossed(one: str, other: str) -> Test:
    """Each side has in ``one`` what the other has in ``other``."""
    return Test(
        f"(l_{one} <> '' AND l_{other} <> '' AND l_{one} = r_{other} AND l_{other} = r_{one})",
        f"('' != l[{one!r}] == r[{other!r}] and '' != l[{other!r}] == r[{one!r}])",
    )


def flag(column: str) -> Test:
    """A mark that either side bears."""
    return Test(f"(l_{column} OR r_{column})", f"(l[{column!r}] or r[{column!r}])")


def flags(column: str) -> Test:
    """A mark that both sides bear."""
    return Test(f"(l_{column} AND r_{column})", f"(l[{column!r}] and r[{column!r}])")


def flags_differ(column: str) -> Test:
    """A mark that one side bears."""
    return Test(f"(l_{column} <> r_{column})", f"(l[{column!r}] != r[{column!r}])")


def shared(column: str) -> Test:
    """Something of that kind is shared: its bits are above zero."""
    return Test(f"({column} > 0)", f"(p[{column!r}] > 0)")


def long(column: str, least: int) -> Test:
    """Both sides have at least so many letters."""
    return Test(
        f"(length(l_{column}) >= {least} AND length(r_{column}) >= {least})",
        f"(len(l[{column!r}]) >= {least} <= len(r[{column!r}]))",
    )


def length_is(column: str, letters: int) -> Test:
    """Both sides have exactly so many letters."""
    return Test(
        f"(length(l_{column}) = {letters} AND length(r_{column}) = {letters})",
        f"(len(l[{column!r}]) == {letters} == len(r[{column!r}]))",
    )


def lengths_same(column: str) -> Test:
    """Both sides are of one length."""
    return Test(f"(length(l_{column}) = length(r_{column}))", f"(len(l[{column!r}]) == len(r[{column!r}]))")


def near(column: str, most: int) -> Test:
    """At most so many letters put in, left out or changed; two neighbours that changed places count as one."""
    gap = f"abs(length(l_{column}) - length(r_{column})) <= {most}"
    return Test(
        # The plain distance costs a sixth, and is at most twice the other.
        f"({gap} AND levenshtein(l_{column}, r_{column}) <= {2 * most}"
        f" AND damerau_levenshtein(l_{column}, r_{column}) <= {most})",
        f"(distance(l[{column!r}], r[{column!r}], {most}) <= {most})",
    )


def begins(column: str) -> Test:
    """One side is one letter, and the other begins with it."""
    return Test(
        f"((length(l_{column}) = 1 AND substr(r_{column}, 1, 1) = l_{column})"
        f" OR (length(r_{column}) = 1 AND substr(l_{column}, 1, 1) = r_{column}))",
        f"((len(l[{column!r}]) == 1 and r[{column!r}][:1] == l[{column!r}])"
        f" or (len(r[{column!r}]) == 1 and l[{column!r}][:1] == r[{column!r}]))",
    )


def cut_off(column: str) -> Test:
    """One side begins with all of the other."""
    return Test(
        f"(starts_with(l_{column}, r_{column}) OR starts_with(r_{column}, l_{column}))",
        f"(l[{column!r}].startswith(r[{column!r}]) or r[{column!r}].startswith(l[{column!r}]))",
    )


def initial(column: str) -> Test:
    """One side or both are one letter."""
    return Test(
        f"(length(l_{column}) = 1 OR length(r_{column}) = 1)", f"(len(l[{column!r}]) == 1 or len(r[{column!r}]) == 1)"
    )


def word_of(column: str) -> Test:
    """All of one side stands in the other as whole words on end."""
    return Test(
        f"(contains(concat(' ', l_{column}, ' '), concat(' ', r_{column}, ' '))"
        f" OR contains(concat(' ', r_{column}, ' '), concat(' ', l_{column}, ' ')))",
        f"(' ' + l[{column!r}] + ' ' in ' ' + r[{column!r}] + ' '"
        f" or ' ' + r[{column!r}] + ' ' in ' ' + l[{column!r}] + ' ')",
    )


def listed(column: str, others: str) -> Test:
    """What one side says is among the words between bars that the other side may mean."""
    return Test(
        f"(contains(l_{others}, concat('|', r_{column}, '|')) OR contains(r_{others}, concat('|', l_{column}, '|')))",
        f"('|' + r[{column!r}] + '|' in l[{others!r}] or '|' + l[{column!r}] + '|' in r[{others!r}])",
    )


def kinds(one: str, other: str) -> Test:
    """One side is of the one kind, the other of the other."""
    return Test(
        f"((l_kind = '{one}' AND r_kind = '{other}') OR (l_kind = '{other}' AND r_kind = '{one}'))",
        f"((l['kind'], r['kind']) in {((one, other), (other, one))})",
    )


def reason(column: str, code: str) -> Test:
    """The fifth and sixth characters of a КПП, the reason, on either side."""
    return Test(
        f"(substr(l_{column}, 5, 2) = '{code}' OR substr(r_{column}, 5, 2) = '{code}')",
        f"({code!r} in (l[{column!r}][4:6], r[{column!r}][4:6]))",
    )


def level_in(fact: str, numbers: Sequence[int]) -> Test:
    """The level of a fact that is known by now is one of these, as counted from 1 on."""
    listing = ", ".join(map(str, numbers))
    return Test(f"({fact}_l IN ({listing}))", f"(p['{fact}_l'] in ({listing},))")


def distance(one: str, other: str, most: int) -> int:
    """Letters to put in, leave out, change or swap with their neighbour to get from one to the other (Damerau and
    Levenshtein).

    More than ``most`` is any number above it.
    """
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most:
        return most + 1
    one, other = _unlike(one, other)
    if not one or not other:
        return len(one) + len(other)
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


def _unlike(one: str, other: str) -> tuple[str, str]:
    """Both without what they begin and end with alike, which adds nothing to their distance."""
    end = min(len(one), len(other))
    start = 0
    while start < end and one[start] == other[start]:
        start += 1
    back = 0
    while back < end - start and one[-1 - back] == other[-1 - back]:
        back += 1
    return one[start : len(one) - back], other[start : len(other) - back]

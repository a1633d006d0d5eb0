"""From scored pairs to clients: clusters that cannot swallow each other. Pure, and the same for any order of its input.

Links are taken by weight, greatest first, ties by id. Two groups become one only if no veto stands between any of their
members, the group stays small, and the links between them agree on the whole (average link) or the link rests on an
identifier. A group that hangs together by one weak link between two parts of two or more is cut there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

#: Members of one client at most; beyond that a person has to look.
MOST = 50


class Link(NamedTuple):
    """A scored pair as clusters see it. ``weight`` in hundredths of a bit.

    ``joins``: strong enough to make two groups one; else it only counts in the mean. ``key``: rests on an identifier.
    """

    a: int | str
    b: int | str
    weight: int
    joins: bool
    key: bool


class Refused(NamedTuple):
    """A joining link that did not join. ``why``: veto, size, mean or bridge."""

    a: int | str
    b: int | str
    why: str


class Clustering(NamedTuple):
    """``groups``: of two and more, members ascending, groups by their first member. ``refused``: in the order met."""

    groups: list[tuple[int | str, ...]]
    refused: list[Refused]


def cluster(links: Iterable[Link], cannot: Collection[tuple[int | str, int | str]], *, cut: int = 0) -> Clustering:
    """Groups out of links and of pairs that cannot be one, each pair with its lesser id first, each once.

    ``cut``: the mean of the links between two groups, in hundredths of a bit, that is enough.
    """
    inside: dict[int | str, int] = {}
    kept = list(links)
    parts = components((link.a, link.b) for link in kept if link.joins)
    for number, part in enumerate(parts):
        inside.update(dict.fromkeys(part, number))
    mine: list[list[Link]] = [[] for _ in parts]
    for link in kept:
        number = inside.get(link.a, -1)
        if number >= 0 and number == inside.get(link.b):
            mine[number].append(link)
    forbidden: list[set[tuple[int | str, int | str]]] = [set() for _ in parts]
    for pair in cannot:
        number = inside.get(pair[0], -1)
        if number >= 0 and number == inside.get(pair[1]):
            forbidden[number].add(pair)
    groups: list[tuple[int | str, ...]] = []
    refused: list[Refused] = []
    for part, own, never in zip(parts, mine, forbidden, strict=True):
        if len(part) == 2 and not never:  # the usual case: one link, nothing against it
            groups.append(tuple(part))
            continue
        made = _Component(own, never, cut).run()
        groups += made.groups
        refused += made.refused
    return Clustering(sorted(groups, key=lambda group: group[0]), refused)


class _Component:
    """One component: groups that grow link by link."""

    def __init__(self, links: list[Link], never: set[tuple[int | str, int | str]], cut: int) -> None:
        self.links = sorted(links, key=lambda link: (-link.weight, link.a, link.b))
        self.never = never
        self.cut = cut
        self.weight = {(link.a, link.b): link.weight for link in links}
        self.group: dict[int | str, list[int | str]] = {}
        for link in links:
            for node in (link.a, link.b):
                self.group.setdefault(node, [node])
        self.refused: list[Refused] = []

    def run(self) -> Clustering:
        for link in self.links:
            if link.joins and self.group[link.a] is not self.group[link.b]:
                why = self.against(link)
                if why:
                    self.refused.append(Refused(link.a, link.b, why))
                else:
                    self.join(self.group[link.a], self.group[link.b])
        whole = {id(group): group for group in self.group.values()}.values()
        found = [part for group in whole for part in self.without_bridges(sorted(group))]
        return Clustering([tuple(part) for part in found if len(part) > 1], self.refused)

    def against(self, link: Link) -> str:
        """Why this link may not make its two groups one, or empty."""
        one, other = self.group[link.a], self.group[link.b]
        if len(one) + len(other) > MOST:
            return "size"
        cross = [_ordered(a, b) for a in one for b in other]
        if any(pair in self.never for pair in cross):
            return "veto"
        known = [self.weight[pair] for pair in cross if pair in self.weight]
        return "" if link.key or sum(known) >= self.cut * len(known) else "mean"

    def join(self, one: list[int | str], other: list[int | str]) -> None:
        one += other
        for node in other:
            self.group[node] = one

    def without_bridges(self, group: list[int | str]) -> list[list[int | str]]:
        """The group, cut where one link lighter than the mean holds two parts of two or more together."""
        if len(group) < 4:
            return [group]
        members = set(group)
        inner = [link for link in self.links if link.joins and link.a in members and link.b in members]
        mean = sum(link.weight for link in inner) / len(inner)
        for link in reversed(inner):  # the lightest first
            if link.weight >= mean or link.key:
                continue
            parts = components((other.a, other.b) for other in inner if other is not link)
            if len(parts) == 2 and min(map(len, parts)) > 1 and sum(map(len, parts)) == len(group):
                self.refused.append(Refused(link.a, link.b, "bridge"))
                return [cut for part in parts for cut in self.without_bridges(part)]
        return [group]


def _ordered(a: int | str, b: int | str) -> tuple[int | str, int | str]:
    return (a, b) if a < b else (b, a)  # type: ignore[operator]


def components(pairs: Iterable[tuple[int | str, int | str]]) -> list[list[int | str]]:
    """What hangs together by pairs: members ascending, parts by their first member."""
    parent: dict[int | str, int | str] = {}

    def root(node: int | str) -> int | str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in pairs:
        one, other = root(a), root(b)
        if one != other:
            parent[max(one, other)] = min(one, other)
    found: dict[int | str, list[int | str]] = {}
    for node in parent:
        found.setdefault(root(node), []).append(node)
    return [sorted(found[first]) for first in sorted(found)]

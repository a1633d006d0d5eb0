"""Budgets, loops, and what is refused when the settings are read."""

from __future__ import annotations

import pytest

from hub.engine.budget import Budget, Verdict, judge
from hub.engine.loops import Flaw, PingPong, RouteWord, competing, flaws, ping_pong
from hub.engine.outgoing import Way
from hub.engine.policies import ORIGIN, ByValue, Policy, Rules


@pytest.mark.parametrize(
    ("budget", "population", "limit"),
    [
        (Budget(), 1000, None),
        (Budget(absolute=5), 1000, 5),
        (Budget(absolute=0), 1000, 0),
        (Budget(percent=20), 1000, 200),
        (Budget(percent=20), 9, 1),
        (Budget(percent=20, minimum=10), 9, None),
        (Budget(percent=20, minimum=10), 10, 2),
        (Budget(absolute=100, percent=20), 1000, 100),
        (Budget(absolute=300, percent=20), 1000, 200),
        (Budget(absolute=300, percent=20, minimum=50), 10, 300),
    ],
)
def test_the_stricter_limit_counts(budget: Budget, population: int, limit: int | None) -> None:
    """A number, a share of enough records, or the smaller of both; no word sets no limit."""
    assert budget.limit(population) == limit


def test_a_budget_is_of_a_whole_run() -> None:
    """What passed before counts; the verdict tells the numbers an admin is shown."""
    budget = Budget(absolute=5)
    assert judge(budget, 5, 10) == Verdict(True, 5, 5, 10)
    assert judge(budget, 6, 10) == Verdict(False, 6, 5, 10)
    assert judge(budget, 2, 10, passed=4) == Verdict(False, 2, 5, 10)
    assert judge(Budget(), 10**9, 10).passes


def word(route: str, system: str, master: str, writes: str = "name", reads: str = "name") -> RouteWord:
    """A route that names its master of ``name``."""
    return RouteWord(route, system, frozenset({reads}), frozenset({writes}), {"name": Policy("master", (master,))})


def test_competing_masters_of_a_loop_are_refused() -> None:
    """Two routes that read and write a field, each with a master of its own, would overwrite each other for ever."""
    ut, crm = word("ut.party", "ut", "ut"), word("crm.party", "crm", "crm")
    assert competing([ut, crm]) == [Flaw("loop", "name", ("ut.party", "crm.party"))]
    assert competing([ut, word("crm.party", "crm", "ut")]) == []
    assert competing([ut]) == competing([]) == []
    reader = word("crm.party", "crm", "crm", writes="other")
    assert competing([ut, reader]) == [Flaw("twice", "name", ("ut.party", "crm.party"))]
    assert [flaw.why for flaw in competing([word("ut.party", "ut", "ut", reads="other"), crm])] == ["twice"]


def test_policies_that_cannot_work_are_named() -> None:
    """Manual where nobody writes, an order that hangs on one that hangs itself, a torn group, an unknown system."""
    by = ByValue("status", frozenset({"x"}), ("ut",))
    good = Rules(
        {"a": Policy("manual", ("ut", ORIGIN)), "point": Policy("manual"), "b": Policy(by=by), "status": Policy()}
    )
    ways, systems = [Way(frozenset({"a"})), Way(frozenset({"point"}))], ["ut", "crm"]
    assert flaws(good, ways, systems) == []
    bad = Rules(
        {
            "a": Policy("manual"),
            "point[phone]": Policy("manual"),
            "b": Policy(by=ByValue("c", frozenset({"x"}), ("nobody",))),
            "c": Policy(by=by, order=("bp", "crm")),
            "last": Policy("latest", group="person"),
            "first": Policy("master", group="person"),
            "inn": Policy(group="legal"),
            "kpp": Policy(group="legal", on_loss="keep"),
        }
    )
    assert flaws(bad, [Way(frozenset({"point"}))], systems) == [
        Flaw("unwritable", "a"),
        Flaw("depends", "b", ("c",)),
        Flaw("unknown", "b", ("nobody",)),
        Flaw("unknown", "c", ("bp",)),
        Flaw("group", "first", ("first", "last")),
    ]
    orders = Rules({"x": Policy("master", ("ut",), group="g"), "y": Policy("master", ("crm",), group="g")})
    assert [flaw.why for flaw in flaws(orders, [], systems)] == ["group"]
    hang = Rules({"x": Policy(group="g", by=by), "y": Policy(group="g")})
    assert [flaw.why for flaw in flaws(hang, [], systems)] == ["group"]


def test_ping_pong_needs_three_returns_of_the_same_value() -> None:
    """A→B→A three times, newest last; another value, another system or one system alone is none."""
    a, b = ("ut", "А"), ("crm", "Б")
    assert ping_pong([a, b, a, b, a, b, a]) == PingPong(("ut", "crm"), ("А", "Б"))
    assert ping_pong([("bp", "В"), a, b, a, b, a, b, a]) == PingPong(("ut", "crm"), ("А", "Б"))
    assert ping_pong([a, b, a, b, a, b]) is None
    assert ping_pong([a, b, a, b, a, b, a, ("crm", "Б2")]) is None
    assert ping_pong([a, b, a, b, a, b, ("bp", "А")]) is None
    assert ping_pong([a, ("ut", "Б"), a, ("ut", "Б"), a, ("ut", "Б"), a]) is None
    assert ping_pong([]) is None
    assert ping_pong([a, b, a], returns=1) == PingPong(("ut", "crm"), ("А", "Б"))

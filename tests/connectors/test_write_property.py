"""Random changes, random answers lost: in the end the base holds what was meant, each record once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Change, Connector, WriteResult
from connectors.memory import MemoryBase, MemoryConnector
from connectors.web import Patience
from hub.model.errors import RetryLater
from stand.onec.configurations import UT
from stand.onec.world import World
from tests.connectors.front import ORDERS, Front

COMMENT = "Комментарий"
NUMBER = "НомерПоДаннымКлиента"
#: What may happen to the requests of one change, in their order; what is not named goes through.
LUCK = st.lists(st.sampled_from(["ok", "before", "after"]), max_size=4)


@dataclass(frozen=True)
class Step:
    """One wish: an order with that number has that comment, and is posted or not; with the luck of its requests."""

    order: int
    comment: str
    posting: Literal["keep", "post", "unpost"]
    writes: list[str]
    reads: list[str]


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 2),
        st.sampled_from(["", "а", "б", "в г"]),
        st.sampled_from(["keep", "post", "unpost"]),
        LUCK,
        LUCK,
    ),
    min_size=1,
    max_size=6,
)


@dataclass
class Hub:
    """The exchange in small: what each order is meant to be, its key in the base, the version decided on."""

    keys: dict[int, str] = field(default_factory=dict)
    versions: dict[int, str | None] = field(default_factory=dict)
    meant: dict[int, tuple[str, bool]] = field(default_factory=dict)

    def wish(self, step: Step) -> Change:
        """The change that makes it so."""
        mark = f"[{step.order}]"
        known = step.order in self.keys
        posted = self.meant.get(step.order, ("", False))[1]
        self.meant[step.order] = (step.comment, posted if step.posting == "keep" else step.posting == "post")
        fields: dict[str, Any] = {COMMENT: f"{step.comment} {mark}".strip()}
        if not known:
            fields[NUMBER] = f"№{step.order}"
        return Change(
            self.keys.get(step.order, f"0b7e1c9a-5a6d-4a1e-9d8c-00000000000{step.order}"),
            fields,
            create=not known,
            version=self.versions.get(step.order),
            marker=None if known else (COMMENT, mark),
            posting=step.posting,
        )

    def carry(self, connector: Connector, step: Step) -> None:
        """Write it until it is settled, as the outbox would: an unknown outcome is looked at first, a version that has
        moved is decided on anew.
        """
        change = self.wish(step)
        for _ in range(20):
            try:
                [result] = connector.write(ORDERS, [change])
            except RetryLater:
                change = replace(change, look_first=True)
                continue
            if result.became in {"written", "unchanged"}:
                self._confirm(step, result)
                return
            change = self._again(change, result)
        raise AssertionError(f"never settled: {change}")

    def _again(self, change: Change, result: WriteResult) -> Change:
        assert result.became in {"unknown", "moved", "not_posted"}, result
        if result.became == "moved":  # decided anew: the record is there, so it is a change of it by now
            return replace(
                change, external_id=result.external_id, version=result.version, create=False, look_first=True
            )
        return replace(change, look_first=True)

    def _confirm(self, step: Step, result: WriteResult) -> None:
        assert result.differences == ()
        self.keys[step.order] = result.external_id
        self.versions[step.order] = result.version


def _check(hub: Hub, records: list[dict[str, Any]]) -> None:
    found = {r[NUMBER]: (r[COMMENT], bool(r.get("Posted"))) for r in records if r.get(NUMBER, "").startswith("№")}
    assert found == {
        f"№{order}": (f"{comment} [{order}]".strip(), posted) for order, (comment, posted) in hub.meant.items()
    }
    assert len(found) == sum(r.get(NUMBER, "").startswith("№") for r in records)


@given(steps=STEPS, own_keys=st.booleans())
@settings(max_examples=150, deadline=None)
def test_in_memory_the_base_ends_as_it_was_meant(steps: list[Step], own_keys: bool) -> None:
    """Whatever is lost, the outcome is told truly enough for the hub to end with each record once."""
    base = MemoryBase("m")
    base.habits.own_keys = own_keys
    base.define(ORDERS, {"Ref_Key": "s", "DataVersion": "s", COMMENT: "s", NUMBER: "s", "Posted": "b"})
    connector, hub = MemoryConnector(base), Hub()
    for step in steps:
        for luck in step.writes:
            then = [RetryLater("connection_lost", system="m", host="m")] * step.reads.count("before")
            if luck == "before":
                base.lose("before", *then)
            elif luck == "after":
                base.lose("after", *then)
        hub.carry(connector, step)
    _check(hub, list(base.records[ORDERS].values()))


def _on_the_stand(steps: list[Step], own_keys: bool) -> None:
    with Front(World(UT)).serving() as front:
        front.own_keys = own_keys
        connector, hub = front.open(patience=Patience(retries=1, first=0.0)), Hub()
        luck: dict[str, Callable[[], None] | Literal["before", "after"]] = {
            "ok": lambda: None,
            "before": "before",
            "after": "after",
        }
        for step in steps:
            front.forget()
            for method in ("POST", "PATCH"):
                front.on(method, *(luck[word] for word in step.writes))
            front.on("GET", *(luck[word] for word in step.reads))
            hub.carry(connector, step)
        connector.close()
        _check(hub, front.world.records(ORDERS))
        assert all(request.method in {"GET", "POST", "PATCH"} for request in front.requests)


@given(steps=STEPS, own_keys=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_on_the_stand_the_base_ends_as_it_was_meant(steps: list[Step], own_keys: bool) -> None:
    """The same over HTTP, in a base that takes the hub's keys and in one that gives its own."""
    _on_the_stand(steps, own_keys)


@pytest.mark.slow
@given(steps=STEPS, own_keys=st.booleans())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_on_the_stand_it_holds_for_long(steps: list[Step], own_keys: bool) -> None:
    """Many more of the same."""
    _on_the_stand(steps, own_keys)

"""Moments that say themselves that they are UTC."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.model.records import Reject
from mappings.compiled import compile_profile
from tests.mappings.run import root, run

TASKS = compile_profile("calendar", "Europe/Berlin").mappings["task"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2026-10-25T01:30:00Z", "2026-10-25 01:30:00"), ("", None), (None, None)],
)
def test_a_moment_told_in_utc_is_taken_as_it_is(value: str | None, expected: str | None) -> None:
    """An hour that happens twice by the clocks of the system is not moved."""
    [outcome] = _run(value)
    assert not isinstance(outcome, Reject | str)
    assert root(TASKS, outcome)["due_at"] == expected


@pytest.mark.parametrize("value", ["2026-10-25T01:30:00", "2026-13-25T01:30:00Z", "завтра", "2026-10-25"])
def test_a_moment_that_says_no_utc_is_refused(value: str) -> None:
    """What does not say that it is UTC is not taken for it."""
    [outcome] = _run(value)
    assert isinstance(outcome, Reject)
    assert outcome.code == "bad_date"


def _run(value: str | None) -> list[Any]:
    raw = {"href": "/a", "summary": "a", "due": value, "status": "done"}
    return run(TASKS, [json.dumps(raw).encode()])

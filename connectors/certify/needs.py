"""What a test needs of the connector and of its subject, and the sentence that it is skipped with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, NoReturn

import pytest

from connectors.base import Capabilities, Connector
from connectors.certify.subject import Deleting, Faulty, Subject, Writing

Ability = type[Deleting] | type[Writing] | type[Faulty]

_CANNOT = {
    "changes_feed": "the connector has no change feed",
    "deletes_in_feed": "the connector's change feed tells no deletions",
    "versions": "the connector's records have no version",
    "versions_return": "a version of the connector's records never comes again",
    "windows": "the connector reads no windows of dates",
    "totals": "the connector gives no totals",
    "write": "the connector does not write",
    "read_back": "the connector does not read back what it wrote",
}
_KNOWN = {capability.name for capability in fields(Capabilities)}


def needs(*wanted: str | Ability) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a test: it is for connectors with these capabilities (by name) and subjects with these abilities."""
    if unknown := {name for name in wanted if isinstance(name, str)} - _KNOWN:
        raise ValueError(f"no such capability: {', '.join(sorted(unknown))}; there are {', '.join(sorted(_KNOWN))}")

    def mark(test: Callable[..., Any]) -> Callable[..., Any]:
        test.__dict__["needs"] = wanted
        return test

    return mark


def lacking(test: Callable[..., Any], connector: Connector, subject: Subject) -> Iterator[str]:
    """Sentences that say what is not there of what the test needs."""
    for wanted in getattr(test, "needs", ()):
        if isinstance(wanted, str):
            if not getattr(connector.capabilities, wanted):
                yield f"{_CANNOT.get(wanted, wanted)} (Capabilities.{wanted} is False)"
        elif not isinstance(subject, wanted):
            yield wanted.LACKING


def leave_out(sentence: str) -> NoReturn:
    """Skip the rest of a test, for a reason that only its own look at the subject could tell."""
    pytest.skip(sentence)

"""Versions: what changed has another version, what did not change has not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Connector
from connectors.certify.needs import needs
from connectors.certify.reading import by_id, decoded, of_stream, raws
from connectors.certify.subject import Changing, Known, Subject


class Versions:
    """What tells a changed record."""

    @needs(Changing)
    def test_only_what_was_edited_differs(self, connector: Connector, subject: Changing) -> None:
        """After one edit every other record is the same, byte for byte: hashes can tell what is new."""
        known = replace(subject.catalog, fields=())
        before = raws(known, connector.read(known.request()))
        changed = min(known.ids)
        subject.edit(known.stream, changed)
        after = raws(known, connector.read(known.request()))
        assert [key for key in before if before[key] != after[key]] == [changed]

    @needs("versions", Changing)
    def test_every_edit_gives_a_new_version(self, connector: Connector, subject: Changing) -> None:
        """A record that was edited twice has had three versions, and no other record got one."""
        known = versioned(subject)
        key, other = sorted(known.ids)[:2]
        seen, others = [], set()
        for _ in range(3):
            found = by_id(known, connector.read(known.request()))
            seen.append(found[key][known.version])
            others.add(found[other][known.version])
            subject.edit(known.stream, key)
        assert len(set(seen)) == 3
        assert len(others) == 1

    @needs("versions", Changing)
    def test_a_version_is_the_same_whichever_way_it_is_read(self, connector: Connector, subject: Changing) -> None:
        """Pages, lookups and the change feed show one version of one record."""
        known = versioned(subject)
        key = min(known.ids)
        subject.edit(known.stream, key)
        shown = {by_id(known, connector.read(known.request()))[key][known.version]}
        shown.add(decoded([connector.fetch(known.request(), [key])])[0][known.version])
        if connector.capabilities.changes_feed:
            shown.add(decoded(of_stream(known, connector.feed(subject.node)))[0][known.version])
        assert len(shown) == 1


def versioned(subject: Subject) -> Known:
    """The catalogue, whose version field the subject must name."""
    if not subject.catalog.version:
        pytest.fail("the connector says that records have versions: the subject's catalog must name their field")
    return subject.catalog

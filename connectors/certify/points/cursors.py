"""Cursors: a read goes on where it was broken off, in another process too, and a broken-off one holds nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.base import Connector
from connectors.certify.needs import needs
from connectors.certify.reading import ids
from connectors.certify.subject import Changing, Deleting, Subject


class Cursors:
    """What a position and a closed iterator mean."""

    def test_a_read_goes_on_from_any_page(self, connector: Connector, subject: Subject) -> None:
        """The position of a page survives JSON and leads a new connector to exactly what follows."""
        for known in (subject.catalog, subject.dated):
            pages = list(connector.read(known.request(page_size=4)))
            whole = ids(known, pages)
            for number in sorted({0, len(pages) // 2, len(pages) - 1}):
                position = json.loads(json.dumps(pages[number].position))
                rest = list(subject.open().read(replace(known.request(page_size=3), position=position)))
                assert ids(known, pages[: number + 1]) + ids(known, rest) == whole
                assert rest[-1].last

    def test_nothing_is_asked_before_the_first_page_is_wanted(self, connector: Connector, subject: Subject) -> None:
        """A read that nobody looks at costs the system nothing."""
        before = connector.traffic.requests
        read = connector.read(subject.catalog.request(page_size=3))
        assert connector.traffic.requests == before
        next(read)
        assert connector.traffic.requests > before
        read.close()  # type: ignore[attr-defined]

    def test_reads_broken_off_hold_nothing(self, connector: Connector, subject: Subject) -> None:
        """More reads begun and closed than there can be sessions leave the connector fit for the next."""
        known = subject.dated
        for _ in range(6):
            read = connector.read(known.request(page_size=3))
            next(read)
            read.close()  # type: ignore[attr-defined]
        assert next(connector.read(known.request(page_size=3))).records

    @needs(Deleting)
    @pytest.mark.parametrize("gone", [1, 4, 15])
    def test_records_deleted_during_a_read_take_no_others_along(
        self, connector: Connector, subject: Deleting, gone: int
    ) -> None:
        """Deleting what has been read shifts the rest, and nothing of the rest is lost."""
        known = subject.dated
        order = ids(known, connector.read(known.request(page_size=20)))
        read = connector.read(known.request(page_size=20))
        first = next(read)
        for key in order[:gone]:
            subject.delete(known.stream, key)
        assert set(ids(known, [first, *read])) >= set(order[gone:])

    @needs(Changing)
    @pytest.mark.parametrize("edited", [1, 6])
    def test_records_edited_during_a_read_are_not_lost(
        self, connector: Connector, subject: Changing, edited: int
    ) -> None:
        """Editing what has been read and what has not may move records about, and each still comes."""
        known = subject.catalog
        order = ids(known, connector.read(known.request(page_size=5)))
        read = connector.read(known.request(page_size=5))
        first = next(read)
        for key in (*order[:edited], *order[-edited:]):
            subject.edit(known.stream, key)
        found = ids(known, [first, *read])
        assert set(found) == known.ids
        left_alone = set(order[edited:-edited])
        assert sorted(key for key in found if key in left_alone) == sorted(left_alone)

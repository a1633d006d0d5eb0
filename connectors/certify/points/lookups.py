"""Lookups: single records by their keys."""

from __future__ import annotations

from collections import Counter

import pytest

from connectors.base import Connector
from connectors.certify.reading import by_id, ids
from connectors.certify.subject import NOBODY, Subject
from hub.model.errors import StopRoute


class Lookups:
    """What ``fetch`` answers."""

    @pytest.mark.parametrize("number", [1, 3, 1000])
    def test_each_record_asked_for_comes_once(self, connector: Connector, subject: Subject, number: int) -> None:
        """However many keys are given: each is answered once, with the record that a read delivers."""
        for known in (subject.catalog, subject.dated):
            asked = sorted(known.ids)[:number]
            page = connector.fetch(known.request(), asked)
            assert sorted(ids(known, [page])) == asked
            assert page.stream == known.stream
            assert list(page.deleted) == []
            read = by_id(known, connector.read(known.request()))
            assert by_id(known, [page]) == {key: read[key] for key in asked}

    def test_what_does_not_exist_is_said_not_to(self, connector: Connector, subject: Subject) -> None:
        """A key that the system does not know is told as deleted, the others come all the same."""
        known = subject.catalog
        there = sorted(known.ids)[:2]
        page = connector.fetch(known.request(), [there[0], NOBODY, there[1]])
        assert Counter(ids(known, [page])) == Counter(there)
        assert list(page.deleted) == [NOBODY]

    def test_nothing_asked_is_nothing_answered(self, connector: Connector, subject: Subject) -> None:
        """No keys: an empty page, never the whole stream."""
        page = connector.fetch(subject.catalog.request(), [])
        assert (len(page.records), len(page.deleted)) == (0, 0)

    def test_a_lookup_writes_nothing(self, connector: Connector, subject: Subject) -> None:
        """Looking a record up is a request and no write."""
        before = connector.traffic.requests
        connector.fetch(subject.catalog.request(), [min(subject.catalog.ids)])
        assert connector.traffic.requests > before
        assert connector.traffic.writes == 0

    def test_an_unknown_stream_is_no_deletion(self, connector: Connector, subject: Subject) -> None:
        """A stream that is not there stops the route: its records are not told as deleted."""
        request = subject.catalog.request()
        with pytest.raises(StopRoute) as error:
            connector.fetch(type(request)("Catalog_НетТакого", request.fields, request.key), [NOBODY])
        assert error.value.code == "unknown_set"

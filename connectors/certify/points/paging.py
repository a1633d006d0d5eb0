"""Paging: all records, each once, in one order, whatever the size of pages."""

from __future__ import annotations

import pytest

from connectors.base import Connector
from connectors.certify.needs import leave_out
from connectors.certify.reading import ids, only_the_last_is_last
from connectors.certify.subject import Subject


class Paging:
    """What a read delivers."""

    @pytest.mark.parametrize("size", [1, 2, 7, 1000])
    def test_every_record_comes_once(self, connector: Connector, subject: Subject, size: int) -> None:
        """Whatever the size of pages: all records, none twice, only the last page says so."""
        for known in (subject.catalog, subject.dated):
            pages = list(connector.read(known.request(page_size=size)))
            assert sorted(ids(known, pages)) == sorted(known.ids)
            assert only_the_last_is_last(pages)
            assert max(len(page.records) for page in pages) <= size
            assert all(page.stream == known.stream for page in pages)
            assert all(page.nbytes > 0 for page in pages if page.records)

    def test_the_order_is_the_same_every_time(self, connector: Connector, subject: Subject) -> None:
        """Reads with pages of different size, and by different connectors, deliver in one order."""
        for known in (subject.catalog, subject.dated):
            first = ids(known, connector.read(known.request(page_size=3)))
            assert ids(known, connector.read(known.request(page_size=100))) == first
            assert ids(known, subject.open().read(known.request(page_size=3))) == first

    def test_virtual_tables_are_streams_of_their_own(self, connector: Connector, subject: Subject) -> None:
        """A virtual table is offered as ``set#table`` and read under the set's name."""
        known = subject.virtual
        if known is None:
            leave_out("the subject names no virtual table")
        assert set(known.fields) <= connector.streams()[f"{known.stream}#{known.table}"].fields.keys()
        pages = list(connector.read(known.request(page_size=2)))
        assert sorted(ids(known, pages)) == sorted(known.ids)
        assert only_the_last_is_last(pages)
        assert connector.count(known.request()) == len(known.ids)

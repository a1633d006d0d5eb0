"""Deletes: a record is gone when the system says so, and it is said until it was heard."""

from __future__ import annotations

from connectors.base import Connector
from connectors.certify.needs import needs
from connectors.certify.reading import ids, of_stream
from connectors.certify.subject import Changing, Deleting


class Deletes:
    """What is told of records that are no more."""

    @needs("deletes_in_feed", Changing)
    def test_a_physical_deletion_is_in_the_feed(self, connector: Connector, subject: Changing) -> None:
        """A deleted record is named by its external id, with no record beside it, until it is acknowledged."""
        known, gone = subject.catalog, min(subject.catalog.ids)
        subject.delete(known.stream, gone)
        for reader in (connector, subject.open()):
            packet = reader.feed(subject.node)
            pages = of_stream(known, packet)
            assert [key for page in pages for key in page.deleted] == [gone]
            assert sum(len(page.records) for page in pages) == 0
        assert packet is not None
        connector.acknowledge(subject.node, packet.number)
        assert connector.feed(subject.node) is None

    @needs("deletes_in_feed", Changing)
    def test_edited_and_deleted_is_deleted(self, connector: Connector, subject: Changing) -> None:
        """Of a record that was edited and then deleted only the deletion comes; other edits come beside it."""
        known = subject.catalog
        gone, stays = sorted(known.ids)[:2]
        subject.edit(known.stream, gone)
        subject.edit(known.stream, stays)
        subject.delete(known.stream, gone)
        pages = of_stream(known, connector.feed(subject.node))
        assert [key for page in pages for key in page.deleted] == [gone]
        assert ids(known, pages) == [stays]

    @needs(Deleting)
    def test_a_lookup_tells_a_deletion(self, connector: Connector, subject: Deleting) -> None:
        """A record that was deleted is told as deleted by ``fetch``, and by nothing before that."""
        known, gone = subject.catalog, min(subject.catalog.ids)
        assert list(connector.fetch(known.request(), [gone]).deleted) == []
        subject.delete(known.stream, gone)
        page = connector.fetch(known.request(), [gone])
        assert (list(page.deleted), len(page.records)) == ([gone], 0)

    @needs(Deleting)
    def test_what_is_gone_is_not_read(self, connector: Connector, subject: Deleting) -> None:
        """Pages and count are of what is there now; a read never calls a record deleted that it merely lacks."""
        known, gone = subject.catalog, min(subject.catalog.ids)
        subject.delete(known.stream, gone)
        pages = list(connector.read(known.request(page_size=7)))
        assert gone not in ids(known, pages)
        assert connector.count(known.request()) == len(known.ids) - 1
        assert {key for page in pages for key in page.deleted} <= {gone}

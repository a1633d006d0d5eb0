"""Basics: the check, what is offered, threads, counting one's own requests, closing."""

from __future__ import annotations

import threading
from dataclasses import replace

from connectors.base import Connector
from connectors.certify.reading import NOWHEN, decoded, ids
from connectors.certify.subject import Known, Subject


class Basics:
    """What comes before any reading."""

    def test_a_working_system_has_no_problems(self, connector: Connector) -> None:
        """``check`` reaches the system and finds nothing that would stop an exchange."""
        report = connector.check()
        assert report.reachable
        assert report.problems == []
        assert report.streams > 0
        assert report.product

    def test_streams_say_what_they_hold(self, connector: Connector, subject: Subject) -> None:
        """Each stream stands under its own name, with every field and table that can be asked for."""
        streams = connector.streams()
        assert all(name == info.name for name, info in streams.items())
        for known in (subject.catalog, subject.dated):
            info = streams[known.stream]
            assert set(known.fields) <= info.fields.keys() | info.tables.keys()
            assert info.key == known.key
            assert not info.fields.keys() & info.tables.keys()
            assert all(info.fields.values())

    def test_the_fingerprint_is_of_the_schema(self, connector: Connector, subject: Subject) -> None:
        """The same schema gives the same hash to every connector, whatever has been read."""
        first = connector.fingerprint()
        list(connector.read(subject.catalog.request()))
        other = subject.open()
        assert first == connector.fingerprint() == other.fingerprint()
        assert int(first, 16) > 0

    def test_only_what_was_asked_for_is_fetched(self, connector: Connector, subject: Subject) -> None:
        """Records are JSON objects with the fields named and the key, and nothing else."""
        known = subject.catalog
        for record in decoded(connector.read(known.request())):
            assert set(record) <= {*known.fields, *known.key}
            assert set(known.key) <= set(record)
        without = replace(known, fields=known.fields[:1])
        assert all(set(r) == {known.fields[0], *known.key} for r in decoded(connector.read(without.request())))

    def test_streams_can_be_read_side_by_side(self, connector: Connector, subject: Subject) -> None:
        """Several threads read through one connector and each gets its own stream whole."""
        found: dict[int, list[str]] = {}
        streams = [subject.catalog, subject.dated] * 2

        def read(number: int, known: Known) -> None:
            found[number] = ids(known, connector.read(known.request(page_size=5)))

        work = [threading.Thread(target=read, args=(number, known)) for number, known in enumerate(streams)]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(60)
        for number, known in enumerate(streams):
            assert found.get(number) == ids(known, connector.read(known.request(page_size=5)))

    def test_reading_writes_nothing(self, connector: Connector, subject: Subject) -> None:
        """Reading and counting are counted as requests, none of them as a write."""
        before = connector.traffic.requests
        list(connector.read(subject.dated.request()))
        connector.count(subject.dated.request())
        if connector.capabilities.totals:
            known = subject.dated
            connector.totals(known.stream, known.date_field, known.total_field, NOWHEN)
        assert connector.traffic.requests >= before + 2
        assert connector.traffic.writes == 0
        assert connector.traffic.bytes_read > 0

    def test_closing_twice_is_closing(self, subject: Subject) -> None:
        """A connector may be closed unused, used, and again."""
        subject.open().close()
        connector = subject.open()
        assert list(connector.read(subject.catalog.request()))
        connector.close()
        connector.close()

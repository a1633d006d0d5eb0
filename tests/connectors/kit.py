"""The certification that every connector passes: one class of tests, one description of what stands behind it.

A connector is certified by deriving a test class from ``ConnectorKit`` (or ``ChangingKit``, where the test can change
the source) and giving it a fixture ``subject``.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from connectors.base import Connector, DayTotal, ReadRequest
from hub.model.errors import NeedsPerson, StopRoute
from hub.model.records import Page, Window
from hub.texts import LANGS

NOWHEN = Window(date(1990, 1, 1), date(1990, 1, 2))


@dataclass(frozen=True)
class Known:
    """A stream whose content the test knows: its name, key, fields, and the external ids that must come."""

    stream: str
    fields: tuple[str, ...]
    ids: frozenset[str]
    key: tuple[str, ...] = ("Ref_Key",)
    date_field: str = ""
    total_field: str = ""
    table: str = "set"

    def request(self, page_size: int = 1000, window: Window | None = None) -> ReadRequest:
        """Read it."""
        return ReadRequest(self.stream, self.fields, self.key, self.table, window, self.date_field, page_size=page_size)


class Subject(ABC):
    """What stands behind a connector under test.

    ``dated``: documents with a date and a total. ``virtual``: a virtual table of a register, perhaps empty.
    """

    catalog: Known
    dated: Known
    virtual: Known
    node: str = ""

    @abstractmethod
    def open(self) -> Connector:
        """A new connector to the same source; the subject closes it."""


class Changing(Subject):
    """A source that the test can change."""

    @abstractmethod
    def edit(self, stream: str, key: str) -> None:
        """Change one record."""

    @abstractmethod
    def delete(self, stream: str, key: str) -> None:
        """Delete one record physically."""


def decoded(pages: Iterable[Page]) -> list[dict[str, Any]]:
    """All records of all pages."""
    return [json.loads(bytes(raw)) for page in pages for raw in page.records]


def ids(known: Known, pages: Iterable[Page]) -> list[str]:
    """External ids in the order of delivery."""
    return ["|".join(str(record[name]) for name in known.key) for record in decoded(pages)]


def days(connector: Connector, known: Known) -> list[date]:
    """Days of all records of a dated stream."""
    return sorted(date.fromisoformat(r[known.date_field][:10]) for r in decoded(connector.read(known.request())))


class ConnectorKit:
    """What any connector owes the exchange."""

    @pytest.fixture
    def connector(self, subject: Subject) -> Iterator[Connector]:
        """A connector of the test's own."""
        opened = subject.open()
        yield opened
        opened.close()

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

    def test_virtual_tables_are_streams_of_their_own(self, connector: Connector, subject: Subject) -> None:
        """A virtual table is offered as ``set#table`` and read under the set's name."""
        known = subject.virtual
        assert set(known.fields) <= connector.streams()[f"{known.stream}#{known.table}"].fields.keys()
        pages = list(connector.read(known.request(page_size=2)))
        assert sorted(ids(known, pages)) == sorted(known.ids)
        assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert connector.count(known.request()) == len(known.ids)

    def test_the_fingerprint_is_of_the_schema(self, connector: Connector, subject: Subject) -> None:
        """The same schema gives the same hash to every connector, whatever has been read."""
        first = connector.fingerprint()
        list(connector.read(subject.catalog.request()))
        other = subject.open()
        assert first == connector.fingerprint() == other.fingerprint()
        assert int(first, 16) > 0

    @pytest.mark.parametrize("size", [1, 2, 7, 1000])
    def test_every_record_comes_once(self, connector: Connector, subject: Subject, size: int) -> None:
        """Whatever the size of pages: all records, none twice, only the last page says so."""
        for known in (subject.catalog, subject.dated):
            pages = list(connector.read(known.request(page_size=size)))
            assert sorted(ids(known, pages)) == sorted(known.ids)
            assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
            assert max(len(page.records) for page in pages) <= size
            assert all(page.stream == known.stream for page in pages)
            assert all(page.nbytes > 0 for page in pages if page.records)

    def test_only_what_was_asked_for_is_fetched(self, connector: Connector, subject: Subject) -> None:
        """Records are JSON objects with the fields named and the key, and nothing else."""
        known = subject.catalog
        for record in decoded(connector.read(known.request())):
            assert set(record) <= {*known.fields, *known.key}
            assert set(known.key) <= set(record)
        without = replace(known, fields=known.fields[:1])
        assert all(set(r) == {known.fields[0], *known.key} for r in decoded(connector.read(without.request())))

    def test_the_order_is_the_same_every_time(self, connector: Connector, subject: Subject) -> None:
        """Two reads with pages of different size deliver in one order."""
        for known in (subject.catalog, subject.dated):
            first, second = (ids(known, connector.read(known.request(page_size=size))) for size in (3, 100))
            assert first == second

    def test_a_read_goes_on_from_any_page(self, connector: Connector, subject: Subject) -> None:
        """The position of a page survives JSON and leads a new connector to exactly what follows."""
        known = subject.dated
        pages = list(connector.read(known.request(page_size=4)))
        whole = ids(known, pages)
        for number in sorted({0, len(pages) // 2, len(pages) - 1}):
            position = json.loads(json.dumps(pages[number].position))
            rest = list(subject.open().read(replace(known.request(page_size=3), position=position)))
            assert ids(known, pages[: number + 1]) + ids(known, rest) == whole
            assert rest[-1].last

    def test_windows_are_half_open(self, connector: Connector, subject: Subject) -> None:
        """Adjacent windows share no record and leave none out; the end of a window belongs to the next."""
        known = subject.dated
        dated = days(connector, known)
        middle, end = dated[len(dated) // 2], dated[-1] + timedelta(days=1)
        parts = []
        for window in (Window(dated[0], middle), Window(middle, end)):
            records = decoded(connector.read(known.request(window=window)))
            found = [date.fromisoformat(record[known.date_field][:10]) for record in records]
            assert all(window.start <= day < window.end for day in found)
            assert connector.count(known.request(window=window)) == len(found)
            parts += [record[known.key[0]] for record in records]
        assert sorted(parts) == sorted(known.ids)

    def test_an_open_window_is_no_window(self, connector: Connector, subject: Subject) -> None:
        """The first and the last day of the calendar mean from the beginning and to the end."""
        known = subject.dated
        window = Window(date.min, date(9999, 1, 1))
        assert len(ids(known, connector.read(known.request(window=window)))) == len(known.ids)

    def test_an_empty_stream_is_one_empty_last_page(self, connector: Connector, subject: Subject) -> None:
        """Nothing to read is an answer of its own, not silence."""
        pages = list(connector.read(subject.dated.request(window=NOWHEN)))
        assert [(len(page.records), page.last) for page in pages] == [(0, True)]
        assert connector.count(subject.dated.request(window=NOWHEN)) == 0

    def test_the_count_is_what_a_read_delivers(self, connector: Connector, subject: Subject) -> None:
        """The source's own word agrees with its pages."""
        for known in (subject.catalog, subject.dated):
            assert connector.count(known.request(page_size=5)) == len(known.ids)

    def test_totals_are_exact_sums_by_local_day(self, connector: Connector, subject: Subject) -> None:
        """Count and hundredths per day, ordered, days without documents left out, nothing outside the window."""
        known = subject.dated
        dated = days(connector, known)
        window = Window(dated[0], dated[-1])
        expected: dict[date, list[int]] = defaultdict(list)
        for record in decoded(connector.read(known.request(window=window))):
            amount = Decimal(str(record[known.total_field] or 0)).scaleb(2).to_integral_value(ROUND_HALF_UP)
            expected[date.fromisoformat(record[known.date_field][:10])].append(int(amount))
        found = connector.totals(known.stream, known.date_field, known.total_field, window)
        assert found == [DayTotal(day, len(sums), sum(sums)) for day, sums in sorted(expected.items())]
        assert connector.totals(known.stream, known.date_field, known.total_field, NOWHEN) == []

    @pytest.mark.parametrize("code", ["unknown_set", "unknown_field"])
    def test_what_is_not_there_is_named(self, connector: Connector, subject: Subject, code: str) -> None:
        """A stream or field that the system does not have stops the route and is named, with an advice."""
        wrong = replace(subject.catalog, fields=("НетТакогоПоля",))
        if code == "unknown_set":
            wrong = replace(subject.catalog, stream="Catalog_НетТакого")
        with pytest.raises(StopRoute) as error:
            list(connector.read(wrong.request()))
        assert error.value.code == code
        for lang in LANGS:
            assert "НетТакого" in error.value.sentence(lang)
            assert error.value.advice(lang)

    def test_reads_broken_off_hold_nothing(self, connector: Connector, subject: Subject) -> None:
        """More reads begun and closed than there can be sessions leave the connector fit for the next."""
        known = subject.dated
        for _ in range(6):
            read = connector.read(known.request(page_size=3))
            next(read)
            read.close()  # type: ignore[attr-defined]
        assert len(ids(known, connector.read(known.request()))) == len(known.ids)

    def test_streams_can_be_read_side_by_side(self, connector: Connector, subject: Subject) -> None:
        """Several threads read through one connector and each gets its own stream whole."""
        found: dict[int, list[str]] = {}

        def read(number: int, known: Known) -> None:
            found[number] = ids(known, connector.read(known.request(page_size=5)))

        work = [
            threading.Thread(target=read, args=(number, known))
            for number, known in enumerate([subject.catalog, subject.dated] * 2)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(30)
        for number, known in enumerate([subject.catalog, subject.dated] * 2):
            assert sorted(found[number]) == sorted(known.ids)

    def test_reading_writes_nothing(self, connector: Connector, subject: Subject) -> None:
        """Reading, counting and summing are counted as requests, none of them as a write."""
        known = subject.dated
        before = connector.traffic.requests
        list(connector.read(known.request()))
        connector.count(known.request())
        connector.totals(known.stream, known.date_field, known.total_field, NOWHEN)
        assert connector.traffic.requests >= before + 3
        assert connector.traffic.writes == 0
        assert connector.traffic.bytes_read > 0

    def test_closing_twice_is_closing(self, subject: Subject) -> None:
        """A connector may be closed unused, used, and again."""
        connector = subject.open()
        connector.close()
        connector = subject.open()
        assert list(connector.read(subject.catalog.request()))
        connector.close()
        connector.close()


class ChangingKit(ConnectorKit):
    """What a connector owes when the source changes under it."""

    def test_only_what_was_edited_differs(self, connector: Connector, subject: Changing) -> None:
        """After one edit every other record is the same, byte for byte: hashes can tell what is new."""
        known = replace(subject.catalog, fields=())
        before = dict(zip(ids(known, connector.read(known.request())), self.raws(connector, known), strict=True))
        changed = min(known.ids)
        subject.edit(known.stream, changed)
        after = dict(zip(ids(known, connector.read(known.request())), self.raws(connector, known), strict=True))
        assert [key for key in before if before[key] != after[key]] == [changed]

    @staticmethod
    def raws(connector: Connector, known: Known) -> list[bytes]:
        """Records as they are handed over."""
        return [bytes(raw) for page in connector.read(known.request()) for raw in page.records]

    @pytest.mark.parametrize("gone", [1, 4, 15])
    def test_records_deleted_during_a_read_take_no_others_along(
        self, connector: Connector, subject: Changing, gone: int
    ) -> None:
        """Deleting what has been read shifts the rest, and nothing of the rest is lost."""
        known = subject.dated
        order = ids(known, connector.read(known.request()))
        read = connector.read(known.request(page_size=20))
        first = next(read)
        for key in order[:gone]:
            subject.delete(known.stream, key)
        assert set(ids(known, [first, *read])) >= set(order[gone:])

    def test_a_quiet_feed_is_no_packet(self, connector: Connector, subject: Changing) -> None:
        """Nothing registered: nothing to commit, nothing to acknowledge."""
        assert connector.feed(subject.node) is None

    def test_a_packet_comes_until_it_is_acknowledged(self, connector: Connector, subject: Changing) -> None:
        """A run that dies before its commit loses nothing: the packet comes again, and is gone once acknowledged."""
        changed = sorted(subject.catalog.ids)[:2]
        for key in changed:
            subject.edit(subject.catalog.stream, key)
        first, again = connector.feed(subject.node), subject.open().feed(subject.node)
        assert first is not None
        assert again is not None
        assert first.number == again.number
        for packet in (first, again):
            pages = [page for page in packet.pages if page.stream == subject.catalog.stream]
            assert sorted(ids(subject.catalog, pages)) == changed
            assert [page.last for page in packet.pages] == [False] * (len(packet.pages) - 1) + [True]
        writes = connector.traffic.writes
        connector.acknowledge(subject.node, first.number)
        assert connector.traffic.writes == writes + 1
        assert connector.feed(subject.node) is None

    def test_what_changes_after_the_packet_comes_in_the_next(self, connector: Connector, subject: Changing) -> None:
        """Acknowledging a packet forgets nothing that changed since it was made."""
        one, two = sorted(subject.catalog.ids)[:2]
        subject.edit(subject.catalog.stream, one)
        first = connector.feed(subject.node)
        assert first is not None
        subject.edit(subject.catalog.stream, two)
        connector.acknowledge(subject.node, first.number)
        second = connector.feed(subject.node)
        assert second is not None
        assert second.number > first.number
        assert ids(subject.catalog, second.pages) == [two]

    def test_a_physical_deletion_is_in_the_feed(self, connector: Connector, subject: Changing) -> None:
        """A deleted record is named by its external id, with no record beside it."""
        gone = min(subject.catalog.ids)
        subject.delete(subject.catalog.stream, gone)
        packet = connector.feed(subject.node)
        assert packet is not None
        pages = [page for page in packet.pages if page.stream == subject.catalog.stream]
        assert [key for page in pages for key in page.deleted] == [gone]
        assert sum(len(page.records) for page in pages) == 0

    def test_an_unknown_node_is_a_mistake_of_the_settings(self, connector: Connector) -> None:
        """Never "begin at 1": the error lists the nodes there are."""
        with pytest.raises(NeedsPerson) as error:
            connector.feed("ExchangePlan_ДляODATA/нет такого")
        assert error.value.code == "node_unknown"
        assert error.value.params["valid"]

"""Reading while people write: whatever stood there all the time and was not touched is delivered."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.onec_odata.paging import OVERLAP
from connectors.onec_odata.sizes import PROBE
from hub.model.errors import RetryLater
from hub.model.records import Window
from stand.onec.configurations import UT
from stand.onec.engine import Engine
from stand.onec.generate.build import build
from stand.onec.world import World
from tests.connectors.inside import ROOT, inside

CLIENTS, ORDERS, LINES = "Catalog_Контрагенты", "Document_ЗаказКлиента", "Document_ЗаказКлиента_Товары"
BEGIN = datetime(2026, 1, 1)


class Base:
    """A small base that is edited at random; ``steady``: keys of what nobody has touched since the start."""

    def __init__(self, name: str, records: int, luck: int) -> None:
        self.world = World(UT)
        self.name = name
        self.luck = Random(luck)
        self.engine = Engine(self.world, ROOT)
        for _ in range(records):
            self.insert()
        self.steady = self.keys()

    def keys(self) -> set[str]:
        """Of all records there are."""
        return {str(record["Ref_Key"]) for record in self.world.records(self.name)}

    def placed(self) -> dict[str, Any]:
        """Fields that decide where a record stands."""
        if self.name == CLIENTS:
            return {"Description": f"Клиент {self.luck.randrange(1000):03d}"}
        return {"Date": (BEGIN + timedelta(hours=self.luck.randrange(24 * 90))).isoformat()}

    def insert(self) -> None:
        """Add a record anywhere."""
        key = str(uuid.UUID(int=self.luck.getrandbits(128)))
        rows = {"Товары": [{"Количество": n} for n in range(3)]} if self.name == ORDERS else {}
        self.world.add(self.name, {"Ref_Key": key, **self.placed(), **rows})

    def meddle(self, number: int, moving: bool) -> None:
        """So many edits: insert, delete, and, if ``moving``, change what a record is ordered by."""
        for _ in range(number):
            act = self.luck.choice(["insert", "delete", "move", "move"] if moving else ["insert", "delete"])
            there = sorted(self.keys())
            if act == "insert" or not there:
                self.insert()
                continue
            key = self.luck.choice(there)
            self.steady.discard(key)
            if act == "delete":
                self.world.delete(self.name, key)
            else:
                self.world.edit(self.name, key, self.placed())


def request(name: str, size: int, *, versioned: bool) -> ReadRequest:
    """Read the set by key and date, with the version or without."""
    fields = (*(["DataVersion"] if versioned else []), *(["Date"] if name == ORDERS else ["Description"]))
    return ReadRequest(name, fields, date_field="Date" if name == ORDERS else "", page_size=size)


EDITS = st.lists(st.integers(0, 12), max_size=25)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([CLIENTS, ORDERS]), st.just(1) | st.integers(1, 30), st.integers(0, 70), st.integers(1, 40),
    st.booleans(), EDITS, st.integers(0, 2**32),
)  # fmt: skip
@example(CLIENTS, 1, 17, 1, True, [1, 4], 122707)  # the last record read is renamed to stand far ahead
@example(CLIENTS, 1, 33, 1, True, [1, 1, 12, 12], 0)  # one that was read has changed and stands next
@example(CLIENTS, 2, 47, 1, True, [1, 7, 12], 845)  # as many inserted before us as we went ahead, twice
def test_what_nobody_touched_is_never_lost(
    name: str, size: int, records: int, days: int, moving: bool, edits: list[int], luck: int
) -> None:
    """Random pages, spans and edits between any two requests: what stood there untouched comes, or the read says no.

    Then the edits stop, and the next pass delivers the base as it is, each record once: whatever was moved past the
    reader comes with it.
    """
    base = Base(name, records, luck)
    left = list(edits)

    def before(_: int) -> None:
        if left:
            base.meddle(left.pop(), moving)

    connector, _ = inside(base.engine, before, request_days=days)
    asked = request(name, size, versioned=moving)
    with suppress(RetryLater):  # set_unsteady: more edits than pages
        got = {record["Ref_Key"] for record in decoded(connector.read(asked))}
        assert base.steady <= got
    left.clear()
    again = [record["Ref_Key"] for record in decoded(connector.read(asked))]
    assert len(again) == len(set(again))
    assert set(again) == base.keys()


def test_a_record_renamed_to_stand_behind_the_reader_comes_with_the_next_pass() -> None:
    """The one thing a walk cannot show: it was edited meanwhile, and the next pass brings it as it is now."""
    base = Base(CLIENTS, 3 * PROBE, 7)
    order = [record["Ref_Key"] for record in decoded(inside(base.engine)[0].read(request(CLIENTS, 20, versioned=True)))]
    moved = order[-1]

    def before(number: int) -> None:
        if number == 2:
            base.world.edit(CLIENTS, moved, {"Description": "АА первый"})

    connector, _ = inside(base.engine, before)
    first = decoded(connector.read(request(CLIENTS, 20, versioned=True)))
    assert {record["Ref_Key"] for record in first} == {*order} - {moved}
    second = {record["Ref_Key"]: record for record in decoded(connector.read(request(CLIENTS, 20, versioned=True)))}
    assert second[moved]["Description"] == "АА первый"


def test_a_record_renamed_to_stand_before_the_reader_again_comes_twice() -> None:
    """It is delivered as it was and as it is; the later one wins in the store. Nothing between is lost."""
    base = Base(CLIENTS, 3 * PROBE, 8)
    connector, _ = inside(base.engine)
    order = [record["Ref_Key"] for record in decoded(connector.read(request(CLIENTS, 20, versioned=True)))]

    def before(number: int) -> None:
        if number == 2:
            base.world.edit(CLIENTS, order[0], {"Description": "Яя последний"})

    connector, _ = inside(base.engine, before)
    got = decoded(connector.read(request(CLIENTS, 20, versioned=True)))
    assert {record["Ref_Key"] for record in got} == {*order}
    assert [r["Description"] for r in got if r["Ref_Key"] == order[0]][1:] == ["Яя последний"]


@pytest.mark.parametrize("moment", range(2, 9))
def test_a_page_of_one_record_is_the_one_that_its_keys_said(moment: int) -> None:
    """One behind us is deleted between looking for the next record and asking for it: the next is not skipped."""
    base = Base(CLIENTS, 12, 4)
    asked = request(CLIENTS, 1, versioned=True)
    order = [record["Ref_Key"] for record in decoded(inside(base.engine)[0].read(asked))]

    def before(number: int) -> None:
        if number == moment:
            base.world.delete(CLIENTS, order[0])

    got = [record["Ref_Key"] for record in decoded(inside(base.engine, before)[0].read(asked))]
    assert got == order


@pytest.mark.parametrize("size", [1, 2, 3, 9, 200])
def test_lines_of_documents_come_whole(size: int) -> None:
    """A tabular part as a set: by document and line, with every line once, whatever the size of pages."""
    base = Base(ORDERS, 15, 3)
    connector, transport = inside(base.engine)
    lines = decoded(connector.read(ReadRequest(LINES, ("Количество",), ("Ref_Key", "LineNumber"), page_size=size)))
    keys = [(line["Ref_Key"], line["LineNumber"]) for line in lines]
    assert len(keys) == len(set(keys)) == 45
    assert all("$orderby=Ref_Key,LineNumber&" in url for url in transport.urls)


def test_documents_are_read_in_spans_of_days() -> None:
    """Three months in spans of ten days: no request covers more, ``$skip`` stays small, empty months cost nothing."""
    base = Base(ORDERS, 300, 5)
    base.world.add(ORDERS, {"Ref_Key": str(uuid.UUID(int=1)), "Date": "2019-05-05T10:00:00"})
    connector, transport = inside(base.engine, request_days=10)
    got = decoded(connector.read(request(ORDERS, 20, versioned=True)))
    assert [record["Date"] for record in got] == sorted(str(r["Date"]) for r in base.world.records(ORDERS))
    skips = [int(url.partition("$skip=")[2].partition("&")[0]) for url in transport.urls]
    assert max(skips) < 80
    assert len(transport.urls) < 300 / 20 * 3
    ended = [url for url in transport.urls if "Date lt" in url]
    assert len(ended) > len(transport.urls) / 2


def test_a_span_is_gone_on_with_where_it_was_left() -> None:
    """The position holds the span too: another process goes on within it, and ends with the whole set."""
    base = Base(ORDERS, 200, 6)
    asked = request(ORDERS, 30, versioned=True)
    pages = list(inside(base.engine, request_days=7)[0].read(asked))
    whole = [record["Ref_Key"] for record in decoded(pages)]
    assert len(pages) > 5
    for number, page in enumerate(pages):
        rest = ReadRequest(asked.stream, asked.fields, date_field="Date", page_size=11, position=page.position)
        more = [record["Ref_Key"] for record in decoded(inside(base.engine, request_days=7)[0].read(rest))]
        assert [r["Ref_Key"] for r in decoded(pages[: number + 1])] + more == whole


def test_one_fat_document_comes_alone() -> None:
    """A document that the base cannot make beside others is asked for alone, its neighbours in small pages."""
    base = Base(ORDERS, 120, 9)
    connector, transport = inside(base.engine)
    fat = sorted(base.world.records(ORDERS), key=lambda record: record["Date"])[60]["Ref_Key"]
    answer = transport.get
    sizes: list[int] = []

    def get(url: str, asked: Any, accept: str = "", limit: int | None = None) -> Any:
        found = answer(url, asked, accept or "application/json", limit)
        top = int(url.partition("$top=")[2].partition("&")[0])
        if "Date,DataVersion" in url or "DataVersion,Date" in url:
            sizes.append(top)
            if top > 1 and fat.encode() in found.body:
                raise RetryLater("source_timeout", system="УТ", seconds=1)
        return found

    transport.get = get  # type: ignore[method-assign]
    asked = ReadRequest(ORDERS, ("DataVersion", "Date"), date_field="Date", page_size=8)
    got = [record["Ref_Key"] for record in decoded(connector.read(asked))]
    assert sorted(got) == sorted(base.keys())
    assert 1 in sizes
    assert sizes[-1] == 8
    assert OVERLAP > 4


MOVES, RATES = "AccumulationRegister_ЗаказыКлиентов", "InformationRegister_КурсыВалют"


@pytest.mark.parametrize("name", [MOVES, f"{MOVES}_RecordType"])
@pytest.mark.parametrize("size", [1, 7, 200])
def test_movements_of_a_period_come_in_spans_of_days(name: str, size: int) -> None:
    """By ``any()`` inside record sets, by their own date as records: all of the period, in the register's own order.

    Nothing is asked for beyond the last movement, though the period goes on for years.
    """
    engine = Engine(build(3, clients=10, products=8, orders=60), ROOT)
    connector, transport = inside(engine, request_days=20)
    key = connector.streams()[name].key
    window = Window(date(2020, 1, 1), date(2090, 1, 1))
    asked = ReadRequest(name, (), key, window=window, date_field="Period", page_size=size)
    got = [tuple(record[part] for part in key) for record in decoded(connector.read(asked))]
    spans = [url for url in transport.urls if "Period ge" in url]
    assert set(got) == {tuple(r[part] for part in key) for r in decoded(connector.read(replace(asked, window=None)))}
    assert len(got) - len(set(got)) <= (len(set(got)) // 10 if name == MOVES else 0)
    assert all("$orderby" not in url for url in spans)
    assert all(("RecordSet/any(r: r/Period ge" in url) is (name == MOVES) for url in spans)
    assert not any("2089" in url and "$top=1&" not in f"{url}&" for url in spans)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_an_independent_register_is_read_by_its_full_key(size: int) -> None:
    """Period and dimensions order it; in spans of days or not, every record once and in order."""
    engine = Engine(build(3, clients=5, products=5, orders=10), ROOT)
    whole = ReadRequest(RATES, (), ("Period", "Валюта_Key"), date_field="Period", page_size=size)
    reads = [decoded(inside(engine, request_days=days)[0].read(whole)) for days in (3, 30, 3000)]
    assert reads[0] == reads[1] == reads[2]
    keys = [(record["Period"], record["Валюта_Key"]) for record in reads[0]]
    assert len(keys) == len(set(keys)) == len(engine.world.records(RATES))
    assert [period for period, _ in keys] == sorted(period for period, _ in keys)

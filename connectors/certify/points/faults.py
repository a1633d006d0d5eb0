"""Faults: whatever the source does, nothing is lost, nothing is doubled, and what stays wrong is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from connectors.base import Connector, WriteResult
from connectors.certify.needs import needs
from connectors.certify.reading import ids, of_stream, otherwise, told
from connectors.certify.subject import Changing, Fault, Faulty, Writing
from hub.model.errors import HubError
from hub.model.records import Page

T = TypeVar("T")


class FaultyAndChanging(Faulty, Changing):
    """A source that fails and changes."""


def is_owed(fault: Fault, error: HubError) -> None:
    """Check that an error is the one that a fault stands for."""
    assert fault.error is not None, f"{error.code} is raised for what should not be noticed"
    assert not fault.hidden, f"{error.code} is raised for what should be met by trying again"
    assert isinstance(error, fault.error)
    assert told(error)


def tried(subject: Faulty, fault: Fault, ask: Callable[[], T]) -> T:
    """What is answered under a fault, or after the error that it may raise was raised and the source was mended.

    Anything raised that the fault does not stand for goes through, and fails the test.
    """
    try:
        found = ask()
    except HubError as error:
        is_owed(fault, error)
        subject.mend()
        found = ask()
    subject.mend()
    return found


class Faults:
    """What a connector owes when the source fails; each fault of the subject is a test of its own."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each fault that the subject's class names."""
        if "name" in metafunc.fixturenames and metafunc.definition.originalname.startswith("test_fault_"):
            subject = getattr(metafunc.cls, "subject_type", None)
            metafunc.parametrize("name", list(getattr(subject, "faults", {})) or ["none"])

    @needs(Faulty)
    def test_fault_within_a_read_costs_no_record(self, connector: Connector, subject: Faulty, name: str) -> None:
        """Once, after the first page: the read goes on by itself or from its position, and every record comes once."""
        fault, request = subject.faults[name], subject.dated.request(page_size=12)
        whole = ids(subject.dated, connector.read(request))
        quiet, reader = connector.traffic.requests, subject.open()
        read = reader.read(request)
        pages = [next(read)]
        subject.fail(name, 1)

        def go_on() -> list[Page]:
            for page in read:
                pages.append(page)
            return pages

        try:
            tried(subject, fault, go_on)
        finally:
            subject.mend()
        if not pages[-1].last:  # the iterator ended with its error
            pages += reader.read(replace(request, position=pages[-1].position))
        assert ids(subject.dated, pages) == whole
        assert reader.traffic.requests > quiet or not fault.hidden, "the fault did not strike"

    @needs(Faulty)
    def test_fault_that_lasts_is_told(self, connector: Connector, subject: Faulty, name: str) -> None:
        """As long as it lasts: the error it stands for, an advice, and not one record of a broken answer."""
        fault, request = subject.faults[name], subject.dated.request(page_size=12)
        whole = ids(subject.dated, subject.open().read(request))
        pages: list[Page] = []
        subject.fail(name)
        if fault.error is None:
            pages.extend(connector.read(request))
            assert ids(subject.dated, pages) == whole
            assert connector.count(request) == len(whole)
            return
        with pytest.raises(fault.error) as error:
            pages.extend(connector.read(request))
        assert pages == []
        assert told(error.value)
        if not fault.pages_only:
            with pytest.raises(fault.error):
                connector.count(request)
        subject.mend()
        assert ids(subject.dated, connector.read(request)) == whole

    @needs(Faulty)
    def test_fault_is_reported_by_the_check(self, connector: Connector, subject: Faulty, name: str) -> None:
        """``check`` raises nothing; what would stop an exchange is a problem with an advice."""
        subject.fail(name)
        report = connector.check()
        assert all(told(problem) for problem in report.problems)
        assert bool(report.problems) == (subject.faults[name].error is not None)

    @needs(Faulty)
    def test_fault_deletes_no_record(self, connector: Connector, subject: Faulty, name: str) -> None:
        """A lookup that fails is an error or is right: no record is called gone because an answer was bad."""
        known = subject.catalog
        asked = sorted(known.ids)[:3]
        subject.fail(name, 1)
        page = tried(subject, subject.faults[name], lambda: connector.fetch(known.request(), asked))
        assert (sorted(ids(known, [page])), list(page.deleted)) == (asked, [])

    @needs(Faulty, Changing, "changes_feed")
    def test_fault_of_the_feed_loses_no_change(
        self, connector: Connector, subject: FaultyAndChanging, name: str
    ) -> None:
        """A packet that did not come whole comes again; an acknowledgement that failed can be repeated."""
        known, fault = subject.catalog, replace(subject.faults[name], hidden=False)
        changed = sorted(known.ids)[:3]
        for key in changed:
            subject.edit(known.stream, key)
        subject.fail(name, 1)
        packet = tried(subject, fault, lambda: connector.feed(subject.node))
        assert packet is not None
        assert sorted(ids(known, of_stream(known, packet))) == changed
        subject.fail(name, 1)
        tried(subject, fault, lambda: connector.acknowledge(subject.node, packet.number))
        assert subject.open().feed(subject.node) is None

    @needs("write", Faulty, Writing)
    def test_fault_within_writing_writes_nothing_twice(
        self, connector: Connector, subject: FaultyAndWriting, name: str
    ) -> None:
        """After the first of three changes: what was written stands, the rest is written once when asked again."""
        fault, target = subject.faults[name], subject.writables[0]
        before = subject.population(target.stream)
        changes = [target.creation(subject.new_key()) for _ in range(3)]
        results = connector.write(target.stream, changes)
        found = [next(results)]
        subject.fail(name, 1)
        try:
            for result in results:
                found.append(result)  # noqa: PERF402 - what came before an error counts
        except HubError as error:
            is_owed(replace(fault, hidden=False), error)
        subject.mend()
        assert found[0].became == "written"
        assert [result.became for result in found if result.became not in {"written", "unknown", "refused"}] == []
        done: dict[int, WriteResult] = {n: result for n, result in enumerate(found) if result.became == "written"}
        open_ = [n for n in range(len(changes)) if n not in done]
        again = connector.write(target.stream, [replace(changes[n], look_first=True) for n in open_])
        done.update(zip(open_, again, strict=True))
        assert {result.became for result in done.values()} <= {"written", "unchanged"}
        assert subject.population(target.stream) == before + len(changes)
        for number, result in done.items():
            assert otherwise(subject.stored(target.stream, result.external_id), changes[number].fields) == []


class FaultyAndWriting(Faulty, Writing):
    """A source that fails and is written to."""

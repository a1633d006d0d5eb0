"""Broken at writing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from connectors.base import Change, WriteResult
from connectors.memory import MemoryBase, MemoryConnector
from connectors.memory_write import MemoryTarget
from connectors.writing import Shown, Unanswered, Writing
from tests.connectors.broken.registry import broken


class WithTarget(MemoryConnector):
    """Writes through a target of its own kind."""

    target: ClassVar[type[MemoryTarget]] = MemoryTarget

    def __init__(self, base: MemoryBase) -> None:
        super().__init__(base)
        self._writing = Writing(self.target(base, "ut", self.traffic))


@broken("readback", "faults")
class SaysWritten(MemoryConnector):
    """Says written, and has sent nothing."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change in changes:
            self.traffic.writes += 1
            body = msgspec.json.encode({"Ref_Key": change.external_id, **change.fields})
            yield WriteResult(change.external_id, "written", "1", body)


class _Results(MemoryConnector):
    """Changes results on their way out."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change, result in zip(changes, super().write(stream, changes), strict=True):
            yield self.changed(change, result)

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        """What is told instead."""
        raise NotImplementedError


@broken("readback")
class CutWithoutAWord(_Results):
    """A text that was cut is written, without a difference."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, differences=())


@broken("readback")
class ShowsWhatWasSent(_Results):
    """Shows what was sent as if the system did."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        shown = {**json.loads(result.record or b"{}"), **change.fields}
        return replace(result, record=msgspec.json.encode(shown), differences=())


@broken("readback")
class FillsUntold(_Results):
    """What the system filled in is not told."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, filled=())


@broken("readback")
class VersionOfBefore(_Results):
    """Gives a version that the record does not have any more."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, version=change.version or result.version)


@broken("readback")
class RefusesWithoutAReason(_Results):
    """A refusal without an error."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, error=None)


@broken("readback")
class CreatesAnew(WithTarget):
    """A create that is repeated makes a second record."""

    class target(MemoryTarget):  # noqa: N801 - it is an attribute
        """Gives another key where one is taken."""

        def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
            if (key,) in self._base.records[stream]:
                key = f"{key}-2"
            return super().create(stream, key, body, load_mode)


@broken("readback")
class RepeatsBlindly(WithTarget):
    """No answer to a create: it is sent again, under another key."""

    class target(MemoryTarget):  # noqa: N801
        """Sends twice."""

        def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
            try:
                return super().create(stream, key, body, load_mode)
            except Unanswered:
                return super().create(stream, f"{key}-2", body, load_mode)


@broken("readback")
class LostIsWritten(_Results):
    """No answer, and nothing to be seen: it will have been written."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, became="written", record=b"{}") if result.became == "unknown" else result


@broken("readback")
class SendsWhatStandsThere(MemoryConnector):
    """Sends what the record shows already."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for result in super().write(stream, changes):
            self.traffic.writes += result.became == "unchanged"
            yield result


@broken("readback")
class WritesOverOthers(MemoryConnector):
    """Does not look whether the record is still the one decided on."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return super().write(stream, [replace(change, version=None) for change in changes])


@broken("readback")
class OnlyWithAVersion(MemoryConnector):
    """Will not write without a version."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change in changes:
            asked = change if change.create or change.version else replace(change, version="0")
            yield from super().write(stream, [asked])


@broken("readback")
class AppendsRows(WithTarget):
    """Rows of a table are added to those that are there."""

    class target(MemoryTarget):  # noqa: N801
        """Keeps rows."""

        def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
            rows = {name: [*before.fields.get(name, []), *value] for name, value in body.items() if _is_table(value)}
            super().change(stream, before, body | rows, change)


@broken("readback")
class ClearsTheRest(WithTarget):
    """An update empties the fields that it does not name."""

    class target(MemoryTarget):  # noqa: N801
        """Replaces the record."""

        def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
            rest = {"ИНН": "", "Date": ""}
            super().change(stream, before, {**{n: v for n, v in rest.items() if n in before.fields}, **body}, change)


@broken("readback")
class UpdatesIntoBeing(MemoryConnector):
    """A change of a record that is not there creates it."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        there = self.base.records[stream]
        found = [c if c.create or (c.external_id,) in there else replace(c, create=True) for c in changes]
        return super().write(stream, found)


@broken("readback")
class StopsAtARefusal(MemoryConnector):
    """One record that is refused ends the whole."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for result in super().write(stream, changes):
            yield result
            if result.became == "refused":
                return


@broken("readback")
class WritesAllAtOnce(MemoryConnector):
    """Sends every change before it tells of the first."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return iter(list(super().write(stream, changes)))


@broken("readback")
class PostsNothing(MemoryConnector):
    """Leaves documents as they are, posted or not."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return super().write(stream, [replace(change, posting="keep") for change in changes])


@broken("readback")
class ExecutesNothing(MemoryConnector):
    """Writes the fields of a task and leaves it to be done."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        left = [replace(change, posting="keep") if change.posting == "execute" else change for change in changes]
        return super().write(stream, left)


@broken("readback")
class ExecutesAgain(MemoryConnector):
    """A task is executed whenever its change says so, done or not."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change, result in zip(changes, super().write(stream, changes), strict=True):
            if change.posting == "execute" and result.became == "unchanged":
                self.traffic.writes += 1
            yield result


@broken("readback")
class IgnoresTheLook(MemoryConnector):
    """Does not look first where it is told to."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return super().write(stream, [replace(change, look_first=False) for change in changes])


@broken("readback")
class LoadModeWritesNothing(MemoryConnector):
    """Cannot skip business rules, and drops the change."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change in changes:
            if change.load_mode:
                yield WriteResult(change.external_id, "unchanged")
            else:
                yield from super().write(stream, [change])


def _is_table(value: Any) -> bool:
    return isinstance(value, list)

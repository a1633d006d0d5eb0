"""How a record is written so that it is proven, whatever the system: look, decide, send once, look again.

A request whose answer was lost may have been done. It is never sent again by itself: what it did is looked up, a
bounded number of times, and where looking does not tell, the change ends ``unknown``. Whoever asks for it again says
``look_first``, and it is looked up once more before anything is sent.

The story that this order prevents: the hub creates an order, 1C commits it, the connection drops. A hub that sends
again makes a second order. This one finds the first by its key or its marker and goes on from there.

``Target`` is one kind of system; ``Writing`` is the procedure, and the only place that decides what became of a change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors import compare
from connectors.base import Became, Change, Difference, WriteResult
from hub.model.errors import HubError, RetryLater, SkipRecord

#: What an act after the fields makes of which flag of the record, and the error when it did not.
ACTS = {
    "post": ("Posted", True, "posting_ignored"),
    "unpost": ("Posted", False, "posting_ignored"),
    "execute": ("Executed", True, "execution_ignored"),
}


class Unanswered(Exception):
    """A writing request was sent and its answer was lost: it may have been done, or be done yet."""


class Overtaken(Exception):
    """The system itself says that the record is another version now; nothing was changed."""


class Taken(Exception):
    """The system has a record with that key already; nothing was changed."""


class Refused(Exception):
    """The system says no to this record, and nothing was changed. ``error`` says why."""

    def __init__(self, error: HubError) -> None:
        super().__init__(error.code)
        self.error = error


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as the system shows it. ``raw``: the JSON object; ``version``: ``None`` where it keeps none."""

    key: str
    version: str | None
    raw: bytes
    fields: dict[str, Any]


class Target(Protocol):  # pragma: no cover - a declaration
    """One system that is written to. ``HubError`` from any of these: nothing was done, and the caller must stop.

    ``Refused``: the system's no to one record. ``create``, ``change`` and ``post`` send once, or raise ``Unanswered``.
    """

    @property
    def system(self) -> str:
        """What an admin calls it."""

    def body(self, stream: str, change: Change) -> dict[str, Any]:
        """The fields to be sent, checked; ``Refused`` for what must not be sent at all."""

    def look(self, stream: str, key: str) -> Shown | None:
        """The record as it is now; ``None`` when the system itself says that there is none."""

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Keys of the records whose field holds the text."""

    def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
        """Make a record, with that key if the system lets us; the key it has. Raises ``Taken``."""

    def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
        """Change a record. Raises ``Overtaken``."""

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """``post`` or ``unpost`` a document, or ``execute`` a task."""

    def pause(self, attempt: int) -> bool:
        """Wait before looking again; ``False`` at once when patience is over. ``attempt`` counts from 1."""


@dataclass(slots=True)
class _Step:
    """How far one change has come. ``sent``: something may have been written."""

    key: str
    before: Shown | None = None
    shown: Shown | None = None
    body: dict[str, Any] = field(default_factory=dict)
    sent: bool = False

    def differences(self) -> tuple[Difference, ...]:
        """What was sent against what is shown."""
        before = self.before.fields if self.before else {}
        return compare.differences(self.body, before, self.shown.fields) if self.shown else ()


class _Ended(Exception):
    """The change ends here, with this outcome."""

    def __init__(self, became: Became, error: HubError | None = None) -> None:
        super().__init__(became)
        self.became = became
        self.error = error


class Writing:
    """Writes to one system. Remembers which streams give keys of their own instead of those reserved.

    ``derived``: the system's keys are made of the reserved ones, and ``look`` finds a record by either.
    """

    def __init__(self, target: Target, *, derived: bool = False) -> None:
        self._target = target
        self._derived = derived
        self._own_keys: set[str] = set()

    def write(self, stream: str, change: Change) -> WriteResult:
        """Write one record. ``HubError`` only while nothing of it has been sent."""
        step = _Step(change.external_id)
        try:
            fields = self._create if change.create else self._change
            fields(stream, change, step)
            self._posting(stream, change, step)
            ended = _Ended("written" if step.sent else "unchanged")
        except Refused as no:
            ended = _Ended("refused", no.error)
        except _Ended as end:
            ended = end
        except HubError as error:
            if not step.sent:
                raise
            ended = _Ended("unknown", error)
        return _result(step, ended, change)

    def _create(self, stream: str, change: Change, step: _Step) -> None:
        step.body = self._target.body(stream, change)
        if change.look_first and self._adopt(stream, change, step):
            return
        try:
            key = self._target.create(stream, change.external_id, step.body, change.load_mode)
        except Taken:
            if self._adopt(stream, change, step):
                return
            raise _Ended("refused", self._error("key_taken", stream, change)) from None
        except Unanswered:
            step.sent = True
            step.shown = self._until(stream, change, lambda: self._find(stream, change))
            step.key = step.shown.key
        else:
            step.sent, step.key = True, key
            self._learn(stream, change, key)
            step.shown = self._back(stream, change, key)

    def _adopt(self, stream: str, change: Change, step: _Step) -> bool:
        """Whether the record is there from an earlier try; ``moved`` when it shows something else by now."""
        step.shown = self._find(stream, change)
        if step.shown is None:
            if stream in self._own_keys and change.marker is None:
                raise _Ended("unknown", self._error("marker_needed", stream, change))
            return False
        step.key = step.shown.key
        if not compare.arrived(step.differences()):
            raise _Ended("moved")
        return True

    def _find(self, stream: str, change: Change) -> Shown | None:
        """The record that an earlier request made: by the key reserved for it, else by its marker."""
        found = self._target.look(stream, change.external_id)
        if found is not None or change.marker is None:
            return found
        keys = self._target.search(stream, change.marker)
        if len(keys) > 1:
            raise _Ended("unknown", self._error("marker_twice", stream, change, marker=change.marker[1]))
        found = self._target.look(stream, keys[0]) if keys else None
        if found is not None:
            self._learn(stream, change, found.key)
        return found

    def _learn(self, stream: str, change: Change, key: str) -> None:
        if not self._derived and key.lower() != change.external_id.lower():
            self._own_keys.add(stream)

    def _change(self, stream: str, change: Change, step: _Step) -> None:
        before = self._target.look(stream, change.external_id)
        if before is None:
            raise _Ended("refused", self._error("record_gone", stream, change))
        step.before = step.shown = before
        step.body = self._target.body(stream, change)
        moved = change.version not in (None, before.version)
        found = step.differences()
        if compare.stands(found) or (moved and change.look_first and compare.arrived(found)):
            if moved and not change.look_first and _posting_due(change, step):
                raise _Ended("moved")
            return
        if moved:
            raise _Ended("moved")
        if _to_be_marked(step) and change.posting == "unpost":
            self._posting(stream, change, step)  # 1C lets no posted document be marked
            before = step.shown
        self._send(stream, change, step, before)

    def _send(self, stream: str, change: Change, step: _Step, before: Shown) -> None:
        try:
            self._target.change(stream, before, step.body, change)
        except Overtaken:
            step.shown = self._back(stream, change, step.key)
            raise _Ended("moved") from None
        except Unanswered:
            step.sent = True
            step.shown = self._until(stream, change, lambda: self._changed(stream, before))
            if not _is_ours(step, before):
                raise _Ended("unknown", self._error("write_unknown", stream, change)) from None
        else:
            step.sent = True
            step.shown = self._back(stream, change, step.key)

    def _changed(self, stream: str, before: Shown) -> Shown | None:
        """The record once it is another version than ``before``."""
        now = self._target.look(stream, before.key)
        if now is None or (now.version, now.fields) == (before.version, before.fields):
            return None
        return now

    def _posting(self, stream: str, change: Change, step: _Step) -> None:
        shown = step.shown
        if shown is None or not _posting_due(change, step):
            return
        flag, wanted, ignored = ACTS[change.posting]
        try:
            self._target.post(stream, shown, change.posting)
        except Refused as no:
            raise _Ended("not_posted", no.error) from None
        except HubError as error:
            if not step.sent:
                raise
            raise _Ended("not_posted", error) from None
        except Unanswered:
            step.sent = True
            step.shown = self._until(stream, change, lambda: self._changed(stream, shown))
        else:
            step.sent = True
            step.shown = self._back(stream, change, step.key)
        if bool(step.shown.fields.get(flag)) is not wanted:
            raise _Ended("not_posted", self._error(ignored, stream, change))

    def _back(self, stream: str, change: Change, key: str) -> Shown:
        """Read back what was written; ``unknown`` when it cannot be read."""
        try:
            found = self._target.look(stream, key)
        except (HubError, Refused):
            found = None
        if found is None:
            raise _Ended("unknown", self._error("write_unknown", stream, change))
        return found

    def _until(self, stream: str, change: Change, look: Callable[[], Shown | None]) -> Shown:
        """Look until there is something to see: a request may be under way for a while after its answer was lost."""
        attempt = 0
        while True:
            try:
                found = look()
            except (HubError, Refused):
                found = None
            if found is not None:
                return found
            attempt += 1
            if not self._target.pause(attempt):
                raise _Ended("unknown", self._error("write_unknown", stream, change)) from None

    def _error(self, code: str, stream: str, change: Change, **more: Any) -> HubError:
        kind = RetryLater if code == "write_unknown" else SkipRecord
        return kind(code, system=self._target.system, stream=stream, id=change.external_id, **more)


def _result(step: _Step, ended: _Ended, change: Change) -> WriteResult:
    shown, before = step.shown, step.before.fields if step.before else {}
    there = ended.became in {"written", "unchanged", "not_posted"} and shown is not None
    besides = () if change.posting == "keep" else ACTS[change.posting][:1]
    return WriteResult(
        step.key,
        ended.became,
        shown.version if shown else None,
        shown.raw if shown else None,
        step.differences() if there else (),
        compare.filled(step.body, before, shown.fields, besides) if shown and there and step.sent else (),
        ended.error,
    )


def _posting_due(change: Change, step: _Step) -> bool:
    """Whether a posting request is to be sent.

    A posted document whose fields were written is posted anew, or its movements would stay those of the old fields; so
    is one that an earlier try may have written. A task is done once.
    """
    if change.posting == "keep" or step.shown is None:
        return False
    flag, wanted, _ = ACTS[change.posting]
    due = bool(step.shown.fields.get(flag)) is not wanted
    if change.posting != "post":
        return due
    return due or step.sent or (change.look_first and not change.create)


def _to_be_marked(step: _Step) -> bool:
    posted = bool(step.shown and step.shown.fields.get("Posted"))
    return posted and step.body.get("DeletionMark") is True


def _is_ours(step: _Step, before: Shown) -> bool:
    """Whether a record that changed after a lost answer was changed by that request, and by nobody else.

    A field that shows neither the old nor the sent value is somebody's edit; where none of the fields sent has changed,
    somebody's edit of other fields was all there was.
    """
    shown = step.shown.fields if step.shown else {}
    old = {name: before.fields[name] for name in step.body if name in before.fields}
    touched = compare.differences(old, {}, shown)
    return bool(touched) and not any(item.how == "other" for item in step.differences())

"""Quiet hours of a system: whoever asks it anything then is told to come back, whatever he is doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, cast
from zoneinfo import ZoneInfo

from connectors.base import (
    Capabilities,
    Change,
    CheckReport,
    Connector,
    DayTotal,
    FeedPacket,
    Placing,
    ReadRequest,
    StreamInfo,
    Traffic,
    WriteResult,
)
from connectors.recordings import Recorded
from hub.model.errors import NeedsPerson, RetryLater
from hub.model.records import Page, Window
from hub.model.settings import SystemSettings


def quiet_until(system: SystemSettings, now: datetime) -> datetime | None:
    """The end of the quiet hours that ``now`` falls into, in the system's zone; ``None`` outside of them."""
    if system.quiet_hours is None:
        return None
    first, last = system.quiet_hours
    local = now.astimezone(ZoneInfo(system.timezone))
    clock = local.time()
    inside = first <= clock < last if first < last else clock >= first or clock < last
    if not inside:
        return None
    end = local.replace(hour=last.hour, minute=last.minute, second=0, microsecond=0)
    return end if clock < last else end + timedelta(days=1)


def check_quiet(system: SystemSettings, now: datetime) -> None:
    """``RetryLater(quiet_hours)`` with the seconds that are left of them."""
    end = quiet_until(system, now)
    if end is not None:
        left = (end - now).total_seconds()
        raise RetryLater("quiet_hours", left, system=system.title or system.code, until=f"{end:%H:%M}")


class QuietConnector:
    """A connector that asks nothing in quiet hours; what has begun before them stops at its next request."""

    def __init__(
        self, inner: Connector, system: SystemSettings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._inner, self._system, self._clock = inner, system, clock

    def _asked(self) -> Connector:
        check_quiet(self._system, self._clock())
        return self._inner

    @property
    def inner(self) -> Connector:
        """The connector itself, for a question that only some kinds answer."""
        return self._asked()

    @property
    def unasked(self) -> Connector:
        """The connector itself, for what asks the system nothing."""
        return self._inner

    @property
    def capabilities(self) -> Capabilities:
        """Those of the connector."""
        return self._inner.capabilities

    @property
    def traffic(self) -> Traffic:
        """What the connector has sent."""
        return self._inner.traffic

    def check(self) -> CheckReport:
        """See ``Connector.check``; in quiet hours its one problem is that they are."""
        try:
            return self._asked().check()
        except RetryLater as error:
            return CheckReport(problems=[error])

    def streams(self) -> dict[str, StreamInfo]:
        """See ``Connector.streams``."""
        return self._asked().streams()

    def fingerprint(self) -> str:
        """See ``Connector.fingerprint``."""
        return self._asked().fingerprint()

    def count(self, request: ReadRequest) -> int:
        """See ``Connector.count``."""
        return self._asked().count(request)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """See ``Connector.read``; looks at the clock before each page."""
        pages = self._inner.read(request)
        try:
            while True:
                self._asked()
                page = next(pages, None)
                if page is None:
                    return
                yield page
        finally:
            close = getattr(pages, "close", None)
            if close is not None:
                close()

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """See ``Connector.fetch``."""
        return self._asked().fetch(request, external_ids)

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """See ``Connector.write``."""
        return self._asked().write(stream, changes)

    def place(self, stream: str, change: Change) -> str:
        """See ``Placing.place``."""
        return cast("Placing", self._asked()).place(stream, change)

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """See ``Connector.totals``."""
        return self._asked().totals(stream, date_field, total_field, window)

    def feed(self, node: str) -> FeedPacket | None:
        """See ``Connector.feed``."""
        return self._asked().feed(node)

    def acknowledge(self, node: str, number: int) -> None:
        """See ``Connector.acknowledge``: what is committed is told even then, or it would all come again."""
        self._inner.acknowledge(node, number)

    def fetch_recording(self, reference: str, /) -> IO[bytes]:
        """See ``connectors.recordings.Recorded``; ``NeedsPerson(recording_no_way)`` where there are none."""
        inner = self._asked()
        if not isinstance(inner, Recorded):
            raise NeedsPerson("recording_no_way", system=self._system.title or self._system.code)
        return inner.fetch_recording(reference)

    def close(self) -> None:
        """See ``Connector.close``."""
        self._inner.close()

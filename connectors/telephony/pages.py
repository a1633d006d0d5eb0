"""Calls to pages: what a poll has to deliver of what it looked at, and positions that lead on from any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import xxhash

from connectors.telephony.call import Call
from connectors.telephony.clock import local_now
from connectors.telephony.seen import Place, slot
from hub.model.records import Page

_Told = tuple[datetime, Call, dict[str, Any]]


def polled(
    calls: Iterator[_Told], place: Place, reach: timedelta, wanted: set[str] | None, *, remember: bool, zone: ZoneInfo
) -> Iterator[bytes]:
    """What is to be delivered of ``calls`` (in order); ``place`` moves along.

    A half hour that a broken-off read had begun is delivered from there on, and looked at once more by the next poll:
    what changed in its beginning meanwhile was not seen. ``remember``: a poll, not a window.
    """
    now, resumed = local_now(zone), place.after
    begun = slot(resumed[0]) if resumed else None
    for number, some in groupby(calls, key=lambda told: slot(told[0])):
        told = list(some)
        raws = [msgspec.json.encode(record) for _, _, record in told]
        mark = _mark(raws)
        known = place.marks.pop(number, None) if remember else None
        if known != mark:
            for (start, call, record), raw in zip(told, raws, strict=True):
                key = (start.replace(microsecond=0), call.id)
                if resumed is not None and key <= resumed:
                    continue
                place.saw(key[0], now)
                place.after = key
                yield raw if wanted is None else encoded(record, wanted)
        if remember and number != begun:
            place.keep(number, mark, reach)
    if remember:
        place.after = None


def _mark(raws: list[bytes]) -> str:
    whole = xxhash.xxh3_64()
    for raw in raws:
        whole.update(raw)
    return whole.hexdigest()


def encoded(record: dict[str, Any], wanted: set[str] | None) -> bytes:
    """A record with the fields that were asked for."""
    return msgspec.json.encode(record if wanted is None else {k: v for k, v in record.items() if k in wanted})


def pages(stream: str, raws: Iterator[bytes], size: int, token: Callable[[], dict[str, Any]]) -> Iterator[Page]:
    """Pages of at most ``size`` records; a full one waits until it is known whether it is the last.

    ``token``: the position after the record that came last.
    """
    held: list[bytes] = []
    position: dict[str, Any] = {}
    for raw in raws:
        if len(held) == size:
            yield Page(stream, held, (), position, nbytes=sum(map(len, held)))
            held = []
        held.append(raw)
        if len(held) == size:
            position = token()
    yield Page(stream, held, (), token(), True, sum(map(len, held)))

"""How a stream is read, chosen by what the base offers. Pure: no I/O, no clock.

=============  =======================================================================================================
``whole``      every record
``days``       whole records of the last days, day by day
``feed``       nothing here: the system's change feed brings it
``tokens``     what is new, changed or gone since the place in the source's history that was kept
``modified``   records whose own "changed at" is not older than the last one seen, less an overlap
``versions``   keys and versions of the last days, then the records whose version is new
``later``      not now: nothing cheap shows what changed; the sweep and the night do
=============  =======================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Way = Literal["whole", "days", "feed", "tokens", "modified", "versions", "later"]
Read = Literal["auto", "feed", "modified", "window", "full"]
Sweep = Literal["nightly", "weekly", "never"]

#: A night's exchange does not start at the same second every time; a sweep is due when the last one is so old.
_DUE = {"nightly": timedelta(hours=18), "weekly": timedelta(days=6, hours=18)}


@dataclass(frozen=True, slots=True)
class Offer:
    """What base and mapping allow for one stream. ``plain``: a set, not a virtual table of a register."""

    plain: bool = True
    feed: bool = False
    modified: bool = False
    dated: bool = False
    versions: bool = False
    tokens: bool = False


def way_of(read: Read, offer: Offer, *, changes: bool, known: bool) -> Way:
    """The way to read a stream. ``changes``: as little as possible; ``known``: it was read whole under this mapping."""
    if not offer.plain:
        return "later" if changes and read != "full" else "whole"
    if offer.tokens and read != "full":  # without a place of its own yet, it brings everything
        return "tokens"
    if read == "window" and offer.dated:
        return "versions" if changes and offer.versions else "days"
    if not known or read == "full":
        return "whole"
    if not changes:
        return _of_exchange(read, offer)
    return _of_changes(read, offer)


def _of_exchange(read: Read, offer: Offer) -> Way:
    if read == "feed" and offer.feed:
        return "feed"
    return "modified" if read == "modified" and offer.modified else "whole"


def _of_changes(read: Read, offer: Offer) -> Way:
    """The way that was asked for, else the first that is offered."""
    offered: dict[Way, bool] = {
        "feed": offer.feed,
        "modified": offer.modified,
        "versions": offer.dated and offer.versions,
        "days": offer.dated,
    }
    if read in {"feed", "modified"} and offered[read]:
        return read
    return next((way for way, there in offered.items() if there), "later")


def sweep_due(setting: Sweep | None, *, dated: bool, last: datetime | None, now: datetime) -> bool:
    """Whether all keys are to be compared. ``last``: when that was done, ``None`` before the first whole read."""
    chosen = setting or ("weekly" if dated else "nightly")
    return chosen != "never" and last is not None and now - last >= _DUE[chosen]

"""Letters, calls, messages and meetings: is their client known, and is everybody called back?"""

from __future__ import annotations

from datetime import timedelta

from hub.exchange.hub import Hub, Route
from hub.exchange.runs import now
from hub.reconcile.finding import Finding
from hub.reconcile.history import local
from hub.store import comms_figures
from hub.store.comms_figures import DAYS

#: A larger share of unknown clients says that something is missing: contacts, or what is ours.
LIMIT = 0.3
#: Fewer activities than these say nothing.
_ENOUGH = 20
#: How long nobody calls back before it is told.
LATE = timedelta(hours=24)


def unmatched_share(hub: Hub, route: Route) -> Finding:
    """Of what came through the account lately, few have no client."""
    with hub.store.read() as conn:
        found = comms_figures.figures(conn, now(), route.system)
    whole = found.known + found.ambiguous + found.unmatched
    numbers = {"rc_matched": found.known, "rc_ambiguous": found.ambiguous, "rc_unmatched": found.unmatched}
    good = whole < _ENOUGH or found.share <= LIMIT
    params = {
        "share": round(found.share * 100),
        "number": found.ambiguous + found.unmatched,
        "days": DAYS.days,
        "limit": round(LIMIT * 100),
    }
    return Finding(good, "rc_unmatched_good" if good else "rc_unmatched_bad", params, "warn", dict(numbers))


def missed_without_call_back(hub: Hub, route: Route) -> Finding:  # noqa: ARG001 - a number waits, whatever line it called
    """Nobody who called in vain has waited for a day."""
    at = now()
    with hub.store.read() as conn:
        found = comms_figures.figures(conn, at)
    late = found.missed_since is not None and at - found.missed_since >= LATE
    since = local(hub, found.missed_since) if found.missed_since is not None else ""
    code = "rc_missed_bad" if late else "rc_missed_good"
    return Finding(not late, code, {"number": found.missed, "since": since}, "warn", {"rc_missed": found.missed})

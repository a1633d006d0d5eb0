"""Rows of Kamailio's accounting: ``acc`` (answers and ends), ``missed_calls`` (refusals), ``acc_cdrs`` (durations).

A call is a SIP dialogue, named by its Call-ID: the proxy knows no queues and no transfers. An INVITE answered with 200
and no end yet is a call that is going on; a refusal of one branch is no missed call where another branch answered.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from connectors.telephony.leg import Leg, Outcome, Row, text

#: Final replies of SIP (RFC 3261, 21): who is busy, who gave up, who did not come to the telephone.
_CODES: dict[str, Outcome] = {
    "486": "busy",
    "600": "busy",
    "487": "cancelled",
    "408": "no_answer",
    "480": "no_answer",
    "603": "no_answer",
}


class KamailioRows:
    """Makes legs of rows of all three tables; ``table``: which one it is."""

    def __init__(self, extension: re.Pattern[str], table: str) -> None:
        self._extension = extension
        self._table = table

    def __call__(self, row: Row, start: datetime, end: datetime | None) -> Leg:
        """One row. ``acc`` tells the answer and the end apart, ``acc_cdrs`` both at once."""
        caller, rung = text(row, "src_user", "from_user", "caller"), text(row, "dst_user", "dst_ouser", "to_user")
        dialled = text(row, "dst_ouser", "dst_user", "to_user") or rung
        call, code = text(row, "callid"), text(row, "sip_code")
        seconds = float(text(row, "duration") or 0) if self._table == "acc_cdrs" else 0.0
        over = start + timedelta(seconds=seconds) if seconds else end or start
        outcome: Outcome = None
        if self._table == "acc_cdrs":
            outcome = "answered" if seconds else None
        elif text(row, "method") == "INVITE":
            outcome = "answered" if code.startswith("2") else _CODES.get(code, "failed")
        inside, to_inside = self._is_ours(caller), self._is_ours(rung)
        return Leg(
            call,
            f"{self._table}:{text(row, 'id') or start}",
            0,
            start,
            over,
            outcome,
            round((over - start).total_seconds()) if outcome == "answered" else 0,
            rung if outcome else "",
            caller,
            "",
            dialled,
            "",
            "",
            inside,
            to_inside,
            cause=f"{code} {text(row, 'sip_reason')}".strip() if outcome not in (None, "answered") else "",
        )

    def _is_ours(self, number: str) -> bool:
        return self._extension.fullmatch(number) is not None


def dialogue(legs: list[Leg]) -> list[Leg]:
    """The rows of one Call-ID as the one leg that they tell of, and refusals of branches beside it.

    Talk is from the 200 to the BYE, or what ``acc_cdrs`` says; who was called is told by the INVITE alone (a BYE that
    the callee sends has the sides the other way round, and later rows may lack them).
    """
    told = sorted(legs, key=lambda leg: (not leg.dialled or leg.outcome is None, leg.start))
    spoke = [leg for leg in legs if leg.outcome == "answered"]
    if not spoke:
        refused = [leg for leg in told if leg.outcome is not None] or legs[:1]
        refused[0].start = min(leg.start for leg in legs)
        return refused
    first = next((leg for leg in told if leg.outcome == "answered" and leg.dialled), spoke[0])
    first.start = min(leg.start for leg in spoke)
    first.end = max(leg.end for leg in legs)
    first.going_on = first.end == first.start
    first.talk_s = max([leg.talk_s for leg in spoke] + [round((first.end - first.start).total_seconds())])
    return [first]

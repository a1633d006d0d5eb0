"""Rows of FreeSWITCH's ``mod_cdr_csv`` (its shipped template, or a table filled with the same names).

A row is a call, named by the ``uuid`` of its caller's leg: ``legs`` of ``cdr_csv.conf.xml`` is to be ``a``, as shipped.
``bleg_uuid`` is empty where nothing was bridged.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from connectors.telephony.leg import Leg, Outcome, Row, text, whole

_CAUSES: dict[str, Outcome] = {
    "NORMAL_CLEARING": "no_answer",
    "USER_BUSY": "busy",
    "NO_ANSWER": "no_answer",
    "NO_USER_RESPONSE": "no_answer",
    "ALLOTTED_TIMEOUT": "no_answer",
    "CALL_REJECTED": "no_answer",
    "PICKED_OFF": "no_answer",
    "LOSE_RACE": "no_answer",
    "ORIGINATOR_CANCEL": "cancelled",
}


class FreeswitchRows:
    """Makes legs of rows."""

    def __init__(self, extension: re.Pattern[str]) -> None:
        self._extension = extension

    def __call__(self, row: Row, start: datetime, end: datetime | None) -> Leg:
        """One row. Without a bridge an answer was that of a menu or of the letter-box."""
        talk, cause = whole(row, "billsec"), text(row, "hangup_cause").upper()
        caller, dialled = text(row, "caller_id_number"), text(row, "destination_number")
        inside, to_inside = self._is_ours(caller), self._is_ours(dialled)
        bridged = bool(text(row, "bleg_uuid"))
        outcome: Outcome = "answered" if talk and bridged else _CAUSES.get(cause, "failed")
        if talk and not bridged:
            outcome = "voicemail" if "voicemail" in text(row, "last_app", "context").lower() else None
        name = text(row, "caller_id_name")
        uuid = text(row, "uuid")
        return Leg(
            uuid,
            uuid,
            0,
            start,
            end or start + timedelta(seconds=whole(row, "duration")),
            outcome,
            talk if outcome == "answered" else 0,
            dialled if outcome not in (None, "voicemail") else "",
            caller,
            "" if name == caller else name,
            dialled,
            "" if inside or to_inside else dialled,
            "",
            inside,
            to_inside,
            cause=cause,
            recording=text(row, "recording_file", "record_path"),
        )

    def _is_ours(self, number: str) -> bool:
        return self._extension.fullmatch(number) is not None

"""Rows of ``cdr`` as Asterisk, FreePBX and Issabel write them (by database or as ``Master.csv``), and of MikoPBX.

Facts that the rows of a real Asterisk prove: all legs of a hunt or a queue have one ``uniqueid``, told apart by
``sequence``; the end of a queue's time is a row ``ANSWERED`` without ``dstchannel``; rows of a queue that nobody
answered carry ``billsec``; a row is written when its leg ends, while ``calldate`` is its start.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from connectors.telephony.leg import Leg, Outcome, Row, caller_name, endpoint, text, whole

#: Applications whose answered leg is a letter-box and no person.
_VOICEMAIL = frozenset({"voicemail", "minivm", "voicemailmain"})
_OUTCOMES: dict[str, Outcome] = {
    "ANSWERED": "answered",
    "ANSWER": "answered",
    "NO ANSWER": "no_answer",
    "NOANSWER": "no_answer",
    "CANCEL": "cancelled",
    "BUSY": "busy",
    "FAILED": "failed",
    "CONGESTION": "failed",
    "CHANUNAVAIL": "failed",
}
_FROM_OUTSIDE = re.compile(
    r"from-(?:trunk|pstn|did|external|outside|zaptel|dahdi)|ext-did|incoming|inbound", re.IGNORECASE
)
_FROM_INSIDE = re.compile(r"from-internal|from-inside|internal|outbound|outgoing|default-users", re.IGNORECASE)


class AsteriskRows:
    """Makes legs of rows. ``extension``: what a name of ours looks like."""

    def __init__(self, extension: re.Pattern[str]) -> None:
        self._extension = extension

    def __call__(self, row: Row, start: datetime, end: datetime | None) -> Leg:
        """One row; ``end``: where the table has a column of its own for it."""
        talk, unique, dialled = whole(row, "billsec"), text(row, "uniqueid"), text(row, "dst")
        channel, rung = endpoint(text(row, "channel")), endpoint(text(row, "dstchannel"))
        own, to_own = self._is_ours(channel), self._is_ours(rung)
        inside = own or _inside(text(row, "dcontext"))
        app, data = text(row, "lastapp").lower(), text(row, "lastdata")
        outcome = _outcome(row, app, rung, talk)
        return Leg(
            text(row, "linkedid") or unique,
            unique,
            whole(row, "sequence"),
            start,
            end or start + timedelta(seconds=whole(row, "duration")),
            outcome,
            talk if outcome == "answered" and rung else 0,
            "" if not rung else rung if to_own else dialled,
            channel if own else text(row, "cnum", "src"),
            text(row, "cnam") or caller_name(text(row, "clid")),
            dialled,
            _did(row),
            rung if inside and not to_own else "",
            inside,
            to_own if rung else None,
            data.partition(",")[0].partition("|")[0] if app == "queue" else "",
            _timeout(data) if app == "dial" else None,
            recording=text(row, "recordingfile"),
        )

    def _is_ours(self, name: str) -> bool:
        return self._extension.fullmatch(name) is not None


def _inside(context: str) -> bool | None:
    """What the part of the dial plan says of where the call came from."""
    if _FROM_OUTSIDE.match(context):
        return False
    return True if _FROM_INSIDE.match(context) else None


def _outcome(row: Row, app: str, rung: str, talk: int) -> Outcome:
    told = _OUTCOMES.get(text(row, "disposition").upper(), "failed")
    if told != "answered" or (rung and talk):
        return told
    if app in _VOICEMAIL:
        return "voicemail"
    return "no_answer" if rung else None


def _did(row: Row) -> str:
    told, field = text(row, "did"), text(row, "userfield")
    return told or (field[4:] if field.startswith("did:") else "")


def _timeout(data: str) -> int | None:
    """Of ``PJSIP/101&PJSIP/102,10,tT``: how long the telephones were to ring."""
    parts = re.split(r"[,|]", data)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None


class MikoRows:
    """Rows of MikoPBX's ``cdr_general``: every leg has a ``UNIQUEID`` of its own, all of a call one ``linkedid``."""

    def __init__(self, extension: re.Pattern[str]) -> None:
        self._extension = extension

    def __call__(self, row: Row, start: datetime, end: datetime | None) -> Leg:
        """One row."""
        talk = whole(row, "billsec")
        told = _OUTCOMES.get(text(row, "disposition").upper(), "failed")
        caller, rung = text(row, "src_num"), text(row, "dst_num")
        app = text(row, "is_app") == "1"
        inside, to_inside = self._is_ours(caller), self._is_ours(rung)
        spoke = told == "answered" and talk > 0 and not app
        outcome: Outcome = told if told != "answered" or spoke else None if app else "no_answer"
        return Leg(
            text(row, "linkedid") or text(row, "uniqueid"),
            text(row, "uniqueid"),
            0,
            start,
            end or start + timedelta(seconds=whole(row, "duration")),
            outcome,
            talk if spoke else 0,
            "" if app else rung,
            caller,
            "",
            rung,
            text(row, "did"),
            text(row, "to_account") if inside and not to_inside else "",
            inside,
            None if app else to_inside,
            rung if app and text(row, "appname") == "queue" else "",
            moved=text(row, "transfer") == "1" or text(row, "a_transfer") == "1",
            recording=text(row, "recordingfile"),
        )

    def _is_ours(self, number: str) -> bool:
        return self._extension.fullmatch(number) is not None

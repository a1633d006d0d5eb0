"""Rows that an exchange writes of a call of each kind, legs and queue log as Asterisk's rules make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
#: The office: its exchange's zone, the queue of its sales people, the trunk that the world is behind.
ZONE = ZoneInfo("Europe/Moscow")
QUEUE, TRUNK = "sales", "beeline"
EXTENSIONS = ("101", "102", "103", "104")


@dataclass
class Exchange:
    """Rows by table. ``line``: the office's own number, as the provider writes it; ``number``: of the next row."""

    line: str
    number: int = 0
    rows: dict[str, list[Row]] = field(default_factory=lambda: {"cdr": [], "queue_log": []})

    def name(self, start: datetime) -> str:
        """As Asterisk names a channel: the second of UTC, and a number that counts up."""
        return f"{int(start.replace(tzinfo=ZONE).timestamp())}.{self.number}"

    def leg(self, call: str, start: datetime, seconds: int, talk: int = 0, *, rung: str = "", **more: Any) -> None:
        """One row. ``rung``: whose telephone (or which trunk), empty for none."""
        inside = more.pop("inside", "")
        source = inside or more.get("src", "")
        self.rows["cdr"].append(
            {
                "calldate": str(start),
                "clid": f'"{more.get("cnam", "")}" <{source or "anonymous"}>',
                "dst": self.line,
                "dcontext": "from-internal" if inside else "from-trunk",
                "channel": f"PJSIP/{inside or TRUNK}-{self.number:08x}",
                "dstchannel": f"PJSIP/{rung}-{self.number + 1:08x}" if rung else "",
                "lastapp": "Dial" if rung else "Hangup",
                "lastdata": f"PJSIP/{rung},20,tr" if rung else "",
                "duration": seconds,
                "billsec": talk,
                "disposition": "ANSWERED" if talk else "NO ANSWER",
                "uniqueid": call,
                "linkedid": call,
                "did": "" if inside else self.line,
                "cnum": source,
                "sequence": self.number,
                **more,
            }
        )
        self.number += 2

    def log(self, call: str, at: datetime, event: str, agent: str = "NONE", *data: int) -> None:
        """One line of the queue's log."""
        moment = str(int(at.replace(tzinfo=ZONE).timestamp()))
        told = {f"data{n}": str(value) for n, value in enumerate(data, 1)}
        row = {"time": moment, "callid": call, "queuename": QUEUE, "agent": agent, "event": event}
        self.rows["queue_log"].append({**row, "data1": "", "data2": "", "data3": "", **told})


def answered(exchange: Exchange, start: datetime, src: str, ext: str, talk: int) -> None:
    """Rings for six seconds, somebody answers; FreePBX records the talk."""
    call = exchange.name(start)
    file = f"in-{exchange.line}-{src}-{start:%Y%m%d-%H%M%S}-{call}.wav"
    exchange.leg(call, start, 6 + talk, talk, src=src, rung=ext, recordingfile=file)


def missed(exchange: Exchange, start: datetime, src: str, ext: str, _talk: int) -> None:
    """One telephone rings, then another; nobody comes."""
    call, other = exchange.name(start), EXTENSIONS[EXTENSIONS.index(ext) - 1]
    exchange.leg(call, start, 20, src=src, rung=ext)
    exchange.leg(call, start + timedelta(seconds=20), 20, src=src, rung=other)


def given_up(exchange: Exchange, start: datetime, src: str, ext: str, _talk: int) -> None:
    """The caller hangs up after seven seconds."""
    exchange.leg(exchange.name(start), start, 7, src=src, rung=ext)


def outbound(exchange: Exchange, start: datetime, src: str, ext: str, talk: int) -> None:
    """The office calls the client, who answers."""
    exchange.leg(exchange.name(start), start, 9 + talk, talk, inside=ext, src=ext, dst=f"8{src[-10:]}", rung=TRUNK)


def called_back(exchange: Exchange, start: datetime, src: str, ext: str, talk: int) -> None:
    """Missed, and twenty minutes later the office calls back."""
    missed(exchange, start, src, ext, 0)
    outbound(exchange, start + timedelta(minutes=20), src, ext, talk)


def queue(exchange: Exchange, start: datetime, src: str, ext: str, talk: int) -> None:
    """Waits in the queue for fifteen seconds: one agent does not come, another does."""
    call, other = exchange.name(start), EXTENSIONS[EXTENSIONS.index(ext) - 1]
    told = {"src": src, "lastapp": "Queue", "lastdata": f"{QUEUE},t,,,60"}
    exchange.log(call, start, "ENTERQUEUE")
    exchange.leg(call, start, 15, 15, rung=other, disposition="NO ANSWER", **told)
    exchange.log(call, start + timedelta(seconds=15), "CONNECT", ext, 15, 0, 5)
    exchange.leg(call, start + timedelta(seconds=10), 5 + talk, talk, rung=ext, **told)
    exchange.log(call, start + timedelta(seconds=15 + talk), "COMPLETECALLER", ext, 15, talk, 1)


def abandoned(exchange: Exchange, start: datetime, src: str, ext: str, _talk: int) -> None:
    """Waits in the queue for half a minute and hangs up."""
    call = exchange.name(start)
    exchange.log(call, start, "ENTERQUEUE")
    told = {"src": src, "lastapp": "Queue", "lastdata": f"{QUEUE},t,,,60", "disposition": "NO ANSWER"}
    exchange.leg(call, start, 30, 30, rung=ext, **told)
    exchange.log(call, start + timedelta(seconds=30), "ABANDON", "NONE", 1, 1, 30)


def transfer(exchange: Exchange, start: datetime, src: str, ext: str, talk: int) -> None:
    """The one who answers passes the client on after twenty seconds."""
    call, other = exchange.name(start), EXTENSIONS[EXTENSIONS.index(ext) - 1]
    exchange.leg(call, start, 26, 20, src=src, rung=ext)
    later = start + timedelta(seconds=27)
    exchange.leg(call, later, 4 + talk, talk, src=src, dst=other, rung=other, dcontext="from-internal")


def busy(exchange: Exchange, start: datetime, src: str, ext: str, _talk: int) -> None:
    """The office calls the client, whose line is busy."""
    told: Row = {"src": ext, "dst": f"8{src[-10:]}", "disposition": "BUSY"}
    exchange.leg(exchange.name(start), start, 3, inside=ext, rung=TRUNK, **told)


def hidden(exchange: Exchange, start: datetime, _src: str, ext: str, talk: int) -> None:
    """Somebody whose number is hidden."""
    exchange.leg(exchange.name(start), start, 6 + talk, talk, src="anonymous", rung=ext)


def internal(exchange: Exchange, start: datetime, _src: str, ext: str, talk: int) -> None:
    """Two of the office talk."""
    other = EXTENSIONS[EXTENSIONS.index(ext) - 1]
    exchange.leg(exchange.name(start), start, 4 + talk, talk, inside=ext, src=ext, dst=other, rung=other)


#: Kinds of calls by name: each writes its rows for a caller, an extension and seconds of talk.
KINDS: dict[str, Callable[[Exchange, datetime, str, str, int], None]] = {
    "answered": answered,
    "missed": missed,
    "given_up": given_up,
    "called_back": called_back,
    "queue": queue,
    "abandoned": abandoned,
    "transfer": transfer,
    "outbound": outbound,
    "busy": busy,
    "hidden": hidden,
    "internal": internal,
}

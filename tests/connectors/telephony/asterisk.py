"""An Asterisk without its telephones: it writes rows of calls where a real one does, in a database or a file."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.base import ReadRequest, Traffic
from connectors.sql_tables.config import SqlSettings
from connectors.telephony.config import PbxSettings
from connectors.telephony.connector import InDatabase, Pbx
from connectors.telephony.files import InFiles
from hub.model.records import Page, Window
from hub.model.settings_comms import CallSettings

COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount", "linkedid",
    "sequence",
)  # fmt: skip
Row = dict[str, Any]


def leg(
    call: str,
    number: int,
    start: str,
    seconds: int,
    talk: int = 0,
    disposition: str = "",
    *,
    src: str = "79161234567",
    dst: str = "74951112233",
    channel: str = "PJSIP/trunk-00000001",
    rung: str = "101",
    **more: Any,
) -> Row:
    """A row of one leg. ``rung``: extension (or trunk) whose telephone rang, empty for none; ``talk``: of its end."""
    begins = datetime.fromisoformat(start)
    ends = begins + timedelta(seconds=seconds)
    told = disposition or ("ANSWERED" if talk else "NO ANSWER")
    return {
        **dict.fromkeys(COLUMNS, ""),
        "src": src,
        "dst": dst,
        "dcontext": "from-trunk" if "trunk" in channel else "from-internal",
        "clid": f'"" <{src}>',
        "channel": channel,
        "dstchannel": f"PJSIP/{rung}-0000{number:04x}" if rung else "",
        "lastapp": "Dial" if rung else "Hangup",
        "start": begins.isoformat(" "),
        "answer": (ends - timedelta(seconds=talk)).isoformat(" ") if told == "ANSWERED" else "",
        "end": ends.isoformat(" "),
        "duration": seconds,
        "billsec": talk,
        "disposition": told,
        "amaflags": "DOCUMENTATION",
        "uniqueid": call,
        "linkedid": call,
        "sequence": number,
        **more,
    }


def line(row: Row) -> bytes:
    """A row as ``cdr_csv`` writes it: texts quoted, numbers and an empty answer not."""
    out = io.StringIO()
    texts = [str(row[name]) if name not in {"duration", "billsec", "sequence"} else int(row[name]) for name in COLUMNS]
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(texts)
    return out.getvalue().encode()


class Exchange(ABC):
    """Where rows go. ``settings``: of connectors that are opened to it."""

    def __init__(self, **calls: Any) -> None:
        sql = SqlSettings("sqlite:///none", title="АТС", timezone="Europe/Moscow", page_size=1000)
        self.settings = PbxSettings(sql, "pbx", CallSettings(**calls), settle=0)
        self.opened: list[Pbx] = []

    @abstractmethod
    def write(self, *rows: Row) -> None:
        """Rows of legs that ended, in this order."""

    @abstractmethod
    def connect(self) -> Pbx:
        """A new connector."""

    @abstractmethod
    def log(self, *lines: str) -> None:
        """Lines of ``queue_log``."""

    def set(self, *, zone: str = "", settle: float | None = None, chunk: int = 0, **calls: Any) -> None:
        """Other settings from now on."""
        now = self.settings
        self.settings = replace(
            now,
            sql=replace(now.sql, timezone=zone or now.sql.timezone),
            calls=replace(now.calls, **calls),
            settle=now.settle if settle is None else settle,
            chunk=chunk or now.chunk,
        )

    def poll(self, position: dict[str, Any] | None = None, size: int = 1000, **more: Any) -> tuple[list[Row], Any]:
        """What a new connector brings from that position on, and the position after it."""
        connector = self.connect()
        request = ReadRequest("calls", key=("id",), date_field="start", position=position, page_size=size, **more)
        pages = list(connector.read(request))
        connector.close()
        return records(pages), json.loads(json.dumps(pages[-1].position))

    def day(self, first: str, last: str) -> list[Row]:
        """Calls of a window of days, the last day not among them."""
        return self.poll(window=Window(datetime.fromisoformat(first).date(), datetime.fromisoformat(last).date()))[0]

    def close(self) -> None:
        """Close what was opened."""
        for connector in self.opened:
            connector.close()


def records(pages: Iterable[Page]) -> list[Row]:
    """Records of pages, decoded."""
    return [json.loads(raw) for page in pages for raw in page.records]


class InCsv(Exchange):
    """``Master.csv`` in a folder of its own."""

    def __init__(self, folder: Path, **calls: Any) -> None:
        super().__init__(**calls)
        folder.mkdir(exist_ok=True)
        self.path = folder / "Master.csv"
        self.path.touch()
        self.settings = replace(self.settings, files=str(folder))

    def write(self, *rows: Row) -> None:
        """Append lines."""
        with self.path.open("ab") as file:
            file.writelines(map(line, rows))

    def log(self, *lines: str) -> None:
        """Append to the log beside it."""
        with (self.path.parent / "queue_log").open("a", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in lines)

    def connect(self) -> Pbx:
        """Another connector."""
        traffic = Traffic()
        self.opened.append(Pbx(self.settings, InFiles(self.settings, traffic), traffic))
        return self.opened[-1]


class InTable(Exchange):
    """The table ``cdr`` as FreePBX has it: ``calldate`` for the start, columns of its own, no primary key."""

    def __init__(self, url: str, left_out: tuple[str, ...] = (), **calls: Any) -> None:
        super().__init__(**calls)
        self.settings = replace(self.settings, sql=replace(self.settings.sql, url=url))
        self.engine = sa.create_engine(url)
        self.table, self.queue, self.events = _tables(left_out)
        self.table.metadata.create_all(self.engine)

    def write(self, *rows: Row) -> None:
        """Insert rows."""
        with self.engine.begin() as conn:
            for row in rows:
                told = {**row, "calldate": datetime.fromisoformat(row["start"])}
                conn.execute(self.table.insert(), {name: told[name] for name in set(self.table.c.keys()) & told.keys()})

    def log(self, *lines: str) -> None:
        """Insert lines of the log."""
        names = ("time", "callid", "queuename", "agent", "event", "data1", "data2", "data3")
        with self.engine.begin() as conn:
            for text in lines:
                conn.execute(self.queue.insert(), dict(zip(names, [*text.split("|"), "", "", ""], strict=False)))

    def event(self, kind: str, call: str, at: str) -> None:
        """Insert a channel event."""
        with self.engine.begin() as conn:
            told = {"eventtype": kind, "linkedid": call, "uniqueid": call, "eventtime": datetime.fromisoformat(at)}
            conn.execute(self.events.insert(), told)

    def connect(self) -> Pbx:
        """Another connector."""
        traffic = Traffic()
        self.opened.append(Pbx(self.settings, InDatabase(self.settings, traffic), traffic))
        return self.opened[-1]

    def close(self) -> None:
        """Drop the tables as well: a server is shared by tests."""
        super().close()
        self.table.metadata.drop_all(self.engine)
        self.engine.dispose()


def _tables(left_out: tuple[str, ...]) -> tuple[sa.Table, sa.Table, sa.Table]:
    known = sa.MetaData()
    texts = (
        "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "disposition", "accountcode",
        "uniqueid", "userfield", "did", "recordingfile", "cnum", "cnam", "linkedid", "peeraccount",
    )  # fmt: skip
    numbers = ("duration", "billsec", "amaflags", "sequence")
    columns: list[sa.Column[Any]] = [
        sa.Column(n, sa.String(120), server_default="") for n in texts if n not in left_out
    ]
    columns += [sa.Column(name, sa.Integer) for name in numbers if name not in {*left_out, "amaflags"}]
    cdr = sa.Table("cdr", known, sa.Column("calldate", sa.DateTime, index=True), *columns)
    log = sa.Table(
        "queue_log",
        known,
        sa.Column("id", sa.Integer, primary_key=True),
        *(
            sa.Column(name, sa.String(60))
            for name in ("time", "callid", "queuename", "agent", "event", "data1", "data2", "data3")
        ),
    )
    cel = sa.Table(
        "cel",
        known,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("eventtime", sa.DateTime),
        *(sa.Column(name, sa.String(60)) for name in ("eventtype", "linkedid", "uniqueid")),
    )
    return cdr, log, cel

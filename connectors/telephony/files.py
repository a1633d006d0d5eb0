"""Exchanges that keep their calls in files (``Master.csv``): laid out as a table, then read like a database.

The table is a scratch file of SQLite that lives as long as the connector. A poll lays out only the end of the files:
the token says from where on, by the beginnings of files and not by their names, so that a file may be renamed, packed,
or copied and emptied between two polls. Rows that two files hold are one row.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

import xxhash
from sqlalchemy import Connection

from connectors.base import Traffic
from connectors.sql_tables.database import Database
from connectors.telephony.config import PbxSettings
from connectors.telephony.lines import Mark, Piece, known, opened, records, rows
from hub.model.errors import NeedsPerson

#: ``newcdrcolumns`` of ``cdr.conf`` adds the last three, ``loguniqueid`` and ``loguserfield`` the two before.
# fmt: off
_ASTERISK = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
    "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount",
    "linkedid", "sequence",
)
_FREESWITCH = (
    "caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp", "answer_stamp", "end_stamp",
    "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid", "accountcode", "read_codec", "write_codec",
)
# fmt: on
_AT_ONCE = 2000
_QUEUE = ("time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5")


@dataclass(frozen=True, slots=True)
class Form:
    """Columns of a file's rows. ``least``: how many there are at least; the others are empty."""

    columns: tuple[str, ...]
    least: int
    start: str
    end: str
    key: tuple[str, ...]

    def complete(self, row: list[str]) -> bool:
        """Whether a row has its fields, and moments where they belong."""
        if not self.least <= len(row) <= len(self.columns):
            return False
        told = dict(zip(self.columns, row, strict=False))
        return all(_is_moment(told[name]) for name in (self.start, self.end))


FORMS = {
    "asterisk": Form(_ASTERISK, 16, "start", "end", ("uniqueid", "sequence")),
    "freeswitch": Form(_FREESWITCH, 13, "start_stamp", "end_stamp", ("uuid",)),
}


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


class InFiles:
    """Lays files out. One lock: several reads may ask at once."""

    def __init__(self, settings: PbxSettings, traffic: Traffic) -> None:
        self._settings, self._traffic = settings, traffic
        self._lock = RLock()
        self._folder: Path | None = None
        self._database: Database | None = None
        self._form: Form | None = None
        self._whole = False
        self._begun: list[Mark] = []
        self._marks: list[Mark] = []
        self._broken: list[tuple[int, int, dict[str, Any]]] = []
        self._numbers: dict[str, int] = {}
        self._logs: list[tuple[str, int, int]] = []

    def database(self, position: dict[str, Any] | None, reach: Any, *, whole: bool) -> Database:
        """The table with all that the files hold by now, from the token's place on unless all is wanted."""
        with self._lock:
            told = [] if whole else [Mark(*mark) for mark in (position or {}).get("files", ())]
            if self._database is None or (whole and not self._whole):
                self.close()
                self._database = self._made()
                self._begun, self._marks, self._whole = told, told, not told
            self._load()
            return self._database

    def token(self, since: datetime | None) -> dict[str, Any]:
        """Marks of the files, as lists."""
        with self._lock:
            if since is None or self._database is None or self._form is None:
                return {"files": [list(astuple(mark)) for mark in self._begun]}
            statement = f'SELECT file, min(place) FROM cdr WHERE "{self._form.end}" >= ? GROUP BY file'
            with self._database.engine.connect() as conn:
                back = dict(tuple(row) for row in conn.exec_driver_sql(statement, (since.isoformat(" "),)))
            marks = [replace(mark, back=back.get(self._numbers[mark.head], mark.read)) for mark in self._marks]
            return {"files": [list(astuple(mark)) for mark in marks]}

    def broken(self, position: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
        """Lines that lie behind what the position says was read, and are no rows."""
        with self._lock:
            marks = [Mark(*mark) for mark in (position or {}).get("files", ())]
            read = {self._numbers[mark.head]: mark.read for mark in marks if mark.head in self._numbers}
            return iter([told for number, place, told in self._broken if place >= read.get(number, 0)])

    def close(self) -> None:
        """Remove the scratch file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._database = self._folder = self._form = None
            self._broken, self._numbers, self._logs = [], {}, []

    # --- inside -------------------------------------------------------------------------------------------------

    def _made(self) -> Database:
        self._folder = Path(tempfile.mkdtemp(prefix="obmen-calls-"))
        path = self._folder / "calls.db"
        path.touch()
        database = Database(replace(self._settings.sql, url=f"sqlite:///{path}", user="", password=""), self._traffic)
        raw = database.engine.raw_connection()
        raw.cursor().execute("PRAGMA journal_mode = WAL")  # reads that go on are not in the way of laying out more
        raw.close()
        return database

    def _paths(self) -> list[Path]:
        """Files of calls, the oldest first; ``NeedsPerson(calls_files_missing)``."""
        told = Path(self._settings.files)
        folder, name = (told, "Master.csv") if told.is_dir() else (told.parent, told.name)
        try:
            found = [path for path in folder.glob(f"{name}*") if path.is_file()]
        except OSError:
            found = []
        if not found:
            raise NeedsPerson("calls_files_missing", system=self._settings.sql.title, path=str(told))
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _load(self) -> None:
        """Lay out what is new since ``_marks``."""
        marks = []
        try:
            for path in self._paths():
                mark = known(path, self._marks)
                marks.append(self._file(path, mark))
            self._queue_log()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise NeedsPerson(
                "calls_files_unreadable", system=self._settings.sql.title, path=str(self._settings.files), detail=reason
            ) from None
        self._marks = [mark for mark in {mark.head: mark for mark in marks}.values() if mark.size]
        if self._form is None:
            self._lay_out(FORMS.get(self._settings.calls.format, FORMS["asterisk"]))

    def _file(self, path: Path, mark: Mark | None) -> Mark:
        piece, number = Piece(), len(self._numbers)
        if mark is not None:
            number = self._numbers.setdefault(mark.head, number)
        found = rows(records(path, mark.back if mark else 0, piece))
        while some := list(islice(found, _AT_ONCE)):
            self._keep(number, some)
        self._numbers[piece.head] = number  # the beginning of a short file grows with it
        return Mark(piece.size, piece.head, piece.read, piece.read)

    def _keep(self, number: int, some: list[tuple[int, list[str]]]) -> None:
        form = self._form or self._told_by(some)
        if form is None:
            self._broken += [(number, place, _refused(place, row)) for place, row in some]
            return
        if self._form is None:
            self._lay_out(form)
        good = []
        for place, row in some:
            if form.complete(row):
                good.append((*_filled(form, row), number, place, _key(form, row)))
            elif any(map(str.strip, row)):
                self._broken.append((number, place, _refused(place, row)))
        marks = ", ".join("?" * (len(form.columns) + 3))
        with self._begin() as conn:
            if good:
                conn.exec_driver_sql(f"INSERT OR IGNORE INTO cdr VALUES ({marks})", good)

    def _told_by(self, some: Iterable[tuple[int, list[str]]]) -> Form | None:
        wanted = self._settings.calls.format
        forms = [form for name, form in FORMS.items() if wanted in {"auto", name}]
        return next((form for _, row in some for form in forms if form.complete(row)), None)

    def _lay_out(self, form: Form) -> None:
        self._form = form
        columns = ", ".join(f'"{name}"' for name in form.columns)
        with self._begin() as conn:
            conn.exec_driver_sql(f"CREATE TABLE cdr ({columns}, file, place INTEGER, row_key UNIQUE)")
            conn.exec_driver_sql(f'CREATE INDEX cdr_start ON cdr ("{form.start}")')
            conn.exec_driver_sql("CREATE INDEX cdr_file ON cdr (file)")
            conn.exec_driver_sql(f"CREATE TABLE queue_log ({', '.join(_QUEUE)})")
            conn.exec_driver_sql("CREATE INDEX queue_log_callid ON queue_log (callid)")

    def _queue_log(self) -> None:
        """All of the log, or its end: it is short beside the calls."""
        if self._form is None:
            return
        told = self._settings.calls.queue_log
        near = Path(self._settings.files)
        folder = near if near.is_dir() else near.parent
        places = [Path(told)] if told else [folder / "queue_log", folder.parent / "queue_log"]
        base = next((path for path in places if path.exists()), None)
        if base is None:
            return
        found = sorted(base.parent.glob(f"{base.name}*"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        seen = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in found]
        if seen == self._logs:
            return
        self._logs = seen
        with self._begin() as conn:
            conn.exec_driver_sql("DELETE FROM queue_log")
            for path in found:
                self._log_file(conn, path)

    @staticmethod
    def _log_file(conn: Connection, path: Path) -> None:
        marks = ", ".join("?" * len(_QUEUE))
        with opened(path) as file:
            lines = (line.decode("utf-8", "replace").rstrip("\r\n").split("|") for line in file if line.endswith(b"\n"))
            told = ([*line[: len(_QUEUE)], *[""] * (len(_QUEUE) - len(line))] for line in lines if len(line) > 4)
            while some := [tuple(row) for row in islice(told, _AT_ONCE)]:
                conn.exec_driver_sql(f"INSERT INTO queue_log VALUES ({marks})", some)

    def _begin(self) -> Any:
        assert self._database is not None
        return self._database.engine.begin()


def _key(form: Form, row: list[str]) -> str:
    """What tells a row apart; the whole of it where the exchange numbers no rows."""
    told = dict(zip(form.columns, row, strict=False))
    parts = [told.get(name, "") for name in form.key]
    return "|".join(parts) if all(parts) else xxhash.xxh3_128_hexdigest("\x1f".join(row).encode())


def _filled(form: Form, row: list[str]) -> list[str]:
    """All fields; a row that names no call is one by itself."""
    filled = [*row, *[""] * (len(form.columns) - len(row))]
    name = form.columns.index(form.key[0])
    filled[name] = filled[name] or f"row-{_key(form, row)}"
    return filled


def _refused(place: int, row: list[str]) -> dict[str, Any]:
    """A line that is no row, as a record without the moment of a call: quarantine shows it to a person."""
    line = ",".join(row)
    name = xxhash.xxh3_64_hexdigest(f"{place}:{line}".encode())
    return {"id": f"line:{name}", "start": line[:500], "started_at": line[:500]}

"""Fetching the recording of a call for a person, and keeping in the journal who fetched it.

A recording is personal data: it is asked of the exchange only on demand, lands in one new file that only its owner may
read, and no bytes are kept before the row that says who has them is committed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select

from connectors.recordings import LIMIT, Recorded, Recording, recording_of
from hub.exchange.acting import acting
from hub.exchange.hub import Hub
from hub.exchange.runs import now
from hub.exchange.which import living, the_one
from hub.exchange.write import write_log
from hub.model.errors import NeedsPerson, RetryLater
from hub.store import core, tables

#: What the journal calls it.
OP = "recording"
#: A call that ended so lately may get its recording yet; for so many seconds it is asked for again.
_FRESH, _PATIENCE = timedelta(minutes=30), 600.0
_PAUSES = (5.0, 10.0, 20.0, 30.0)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording that now lies in ``path``. ``run_id``: the run of the journal that says who fetched it."""

    run_id: int
    record_id: int
    system: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The recording of a call: what the call keeps of it, and the systems that know the call."""

    record_id: int
    reference: str
    ended: datetime | None
    systems: tuple[str, ...]


def fetch_recording(
    hub: Hub,
    ident: str,
    path: Path,
    *,
    by: str,
    part: int = 1,
    dagster_run_id: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch the recording of the call that ``ident`` names into the new file ``path``.

    ``part``: which of several. ``NeedsPerson`` for what is no call, has no recording or cannot be written; what the
    connector raises comes through (``recording_not_ready`` after minutes of waiting for a call that has just ended).
    """
    with hub.store.read() as conn:
        wanted = _wanted(conn, hub, ident, part)
    system, connector = _connector(hub, wanted)
    _may_be_written(path)
    with (
        acting(hub, OP, by, dagster_run_id=dagster_run_id) as run_id,
        closing(_patiently(connector, wanted, sleep)) as source,
    ):
        size = _kept(hub, run_id, wanted, system, source, path)
    return Fetched(run_id, wanted.record_id, system, str(path), size)


def _wanted(conn: Connection, hub: Hub, ident: str, part: int) -> _Wanted:
    record_id = living(conn, the_one(conn, hub, "activity", ident))
    root, detail = tables.ROOTS["activity"], tables.CHILDREN["call_detail"]
    row = conn.execute(select(root.c.type, root.c.ended_at).where(root.c.id == record_id)).one()
    if row.type != "call":
        raise NeedsPerson("recording_not_call", record=record_id)
    kept = conn.execute(select(detail.c.recording).where(detail.c.activity_id == record_id)).scalars()
    reference = next((str(one) for one in kept if one), "")
    if not reference:
        raise NeedsPerson("recording_none", record=record_id)
    parts = recording_of(reference).parts() if recording_of(reference).provider else [reference]
    if not 1 <= part <= len(parts):
        raise NeedsPerson("recording_number", record=record_id, number=len(parts))
    chosen = parts[part - 1]
    ended = row.ended_at
    return _Wanted(
        record_id,
        chosen.text() if isinstance(chosen, Recording) else chosen,
        ended if ended is None or ended.tzinfo else ended.replace(tzinfo=UTC),
        tuple(_systems(conn, record_id)),
    )


def _systems(conn: Connection, record_id: int) -> list[str]:
    """Systems that the record has links of, the one it came from first."""
    link, stream, system = core.link, core.stream, core.system
    rows = conn.execute(
        select(system.c.code)
        .join(stream, stream.c.system_id == system.c.id)
        .join(link, link.c.stream_id == stream.c.id)
        .where(link.c.record_id == record_id)
        .order_by(link.c.id)
    )
    return list(dict.fromkeys(map(str, rows.scalars())))


def _connector(hub: Hub, wanted: _Wanted) -> tuple[str, Recorded]:
    """The first of the systems that keeps recordings, and is still there."""
    for code in wanted.systems:
        if code in hub.settings.systems and isinstance(found := hub.connector(code), Recorded):
            return code, found
    raise NeedsPerson("recording_no_way", system=", ".join(wanted.systems) or "—")


def _may_be_written(path: Path) -> None:
    """Said before anything is asked of the exchange."""
    if path.exists() or path.is_symlink():
        raise NeedsPerson("recording_file_there", path=str(path))
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise NeedsPerson("recording_file_folder", path=str(path))


def _patiently(connector: Recorded, wanted: _Wanted, sleep: Callable[[float], None]) -> IO[bytes]:
    """The recording, waited for when the call has just ended; of an older call "not ready" means that it is gone."""
    fresh = wanted.ended is not None and now() - wanted.ended < _FRESH
    waited, number = 0.0, 0
    while True:
        try:
            return connector.fetch_recording(wanted.reference)
        except RetryLater as error:
            if error.code != "recording_not_ready":
                raise
            if not fresh:
                raise NeedsPerson("recording_gone", **error.params) from None
            pause = _PAUSES[min(number, len(_PAUSES) - 1)]
            if waited + pause > _PATIENCE:
                raise
        sleep(pause)
        waited, number = waited + pause, number + 1


def _kept(hub: Hub, run_id: int, wanted: _Wanted, system: str, source: IO[bytes], path: Path) -> int:
    """Write the file and the row of the journal: both are there afterwards, or neither. Bytes written."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError:
        raise NeedsPerson("recording_file_there", path=str(path)) from None
    except OSError:
        raise NeedsPerson("recording_file_folder", path=str(path)) from None
    try:
        with os.fdopen(number, "wb") as target:
            size = _copied(source, target, system)
        at = now().strftime("%Y-%m-%d %H:%M:%S")
        with hub.store.begin() as conn:
            write_log(conn, [(run_id, "activity", wanted.record_id, None, OP, None, None, system, at)])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def _copied(source: IO[bytes], target: IO[bytes], system: str) -> int:
    size = 0
    while part := source.read(_CHUNK):
        size += len(part)
        if size > LIMIT:
            raise NeedsPerson("recording_too_big", system=system, megabytes=LIMIT >> 20)
        target.write(part)
    return size


def in_home(hub: Hub, name: str) -> Path:
    """A file of that name in the folder ``recordings`` of the installation, for whoever does not sit at this machine.

    ``NeedsPerson(recording_file_name)`` for anything that is more than a name.
    """
    if name in {"", ".", ".."} or any(sign in name for sign in '/\\:\0*?"<>|') or not name.isprintable():
        raise NeedsPerson("recording_file_name", name=name)
    folder = hub.settings.home / "recordings"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / name

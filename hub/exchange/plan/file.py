"""Plans as they are kept: a row each in the store, and a file that holds all of it.

The file is one JSON document with one part a line, so that any program can read it whole and ours part by part. The
row has its checksum: what was saved is what is applied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, func, or_, select, update

from hub import __version__
from hub.exchange.hub import Hub
from hub.exchange.plan.parts import Item, Left, Outgoing
from hub.exchange.runs import close_dead_runs, now
from hub.model.errors import NeedsPerson
from hub.store import core
from hub.store.faults import shown

FOLDER = "plans"
FORMAT = 1
#: How long a plan can be applied; what has moved since is left out in any case.
LASTS = timedelta(days=7)
#: How long its values are kept after that: what they would show of persons is needed by nobody then.
KEPT = timedelta(days=30)
#: So many of each section stand in the row too.
SAMPLES = 20
_SECTIONS: dict[str, type[Any]] = {"items": Item, "outgoing": Outgoing, "left": Left}
_Part = TypeVar("_Part", Item, Outgoing, Left)


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan's row. ``counts``: see ``Counts``; ``samples``: some of each section as JSON has them."""

    id: int
    code: str
    state: str
    routes: list[str]
    counts: dict[str, Any]
    samples: dict[str, list[dict[str, Any]]]
    sha256: str
    made_at: datetime
    expires_at: datetime
    run: int | None
    initiator: str


class Counts:
    """Numbers of a plan: of each section by route and by what (``op``, or reason of what is left out)."""

    def __init__(self) -> None:
        self.by: dict[str, dict[str, dict[str, int]]] = {name: {} for name in _SECTIONS}
        self.samples: dict[str, list[Any]] = {name: [] for name in _SECTIONS}

    def add(self, section: str, part: Item | Outgoing | Left) -> None:
        """Count one part; the first of each section and kind are kept as samples."""
        what = f"{part.what}:{part.reason}" if isinstance(part, Left) else part.op
        of_route = self.by[section].setdefault(part.route, {})
        of_route[what] = of_route.get(what, 0) + 1
        if len(self.samples[section]) < SAMPLES:
            self.samples[section].append(msgspec.to_builtins(part))

    def number(self, section: str) -> int:
        """All of a section."""
        return sum(sum(of_route.values()) for of_route in self.by[section].values())


def folder_of(hub: Hub) -> Path:
    """Where plans lie: in the home, for its owner alone."""
    folder = hub.settings.home / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise NeedsPerson("plan_unwritable", path=folder, detail=error.strerror or str(error)) from None
    return folder


def home_of(hub: Hub) -> str:
    """A text that tells this installation from others, without a secret: its folder and its store."""
    where = f"{hub.settings.home.resolve()} {shown(hub.store.engine.url)}"
    return hashlib.sha256(where.encode()).hexdigest()[:16]


def reserve(hub: Hub, routes: list[str], initiator: str) -> str:
    """Code of a new plan, whose row says that it is being made."""
    at, plan = now(), core.plan
    day = at.astimezone(ZoneInfo(hub.settings.company_timezone)).strftime("%Y%m%d")
    with hub.store.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f"LOCK TABLE {plan.name} IN SHARE ROW EXCLUSIVE MODE")
        last = conn.execute(select(func.max(plan.c.code)).where(plan.c.code.like(f"P-{day}-%"))).scalar()
        code = f"P-{day}-{int(last.rpartition('-')[2]) + 1 if last else 1:04d}"
        conn.execute(plan.insert().values(code=code, initiator=initiator, routes=routes, state="making", created_at=at))
    return code


def give_up(hub: Hub, code: str) -> None:
    """A plan that could not be made leaves nothing."""
    with hub.store.begin() as conn:
        conn.execute(delete(core.plan).where(core.plan.c.code == code, core.plan.c.state == "making"))
    with suppress(OSError):
        _remove(hub, code)


def forget_old(hub: Hub) -> list[str]:
    """Remove the files, and the samples in the store, of plans that ended ``KEPT`` ago; their codes.

    Their rows and counts stay. One that is just being carried out is left alone; one whose files cannot be removed is
    tried again with the next plan.
    """
    plan, forgotten = core.plan, []
    ended = (plan.c.expires_at < now() - KEPT, plan.c.state.in_(("saved", "applied")), plan.c["items"].is_not(None))
    with hub.store.begin() as conn:
        for code in conn.execute(select(plan.c.code).where(*ended).order_by(plan.c.id)).scalars().all():
            try:
                _remove(hub, code)
            except OSError:
                continue
            conn.execute(update(plan).where(plan.c.code == code).values(items=None))
            forgotten.append(code)
    return forgotten


def _remove(hub: Hub, code: str) -> None:
    for path in (json_path(hub, code), book_path(hub, code)):
        path.unlink(missing_ok=True)


def json_path(hub: Hub, code: str) -> Path:
    """The plan itself."""
    return hub.settings.home / FOLDER / f"{code}.json"


def book_path(hub: Hub, code: str) -> Path:
    """The same for people."""
    return hub.settings.home / FOLDER / f"{code}.xlsx"


def write(hub: Hub, code: str, routes: list[str], sections: Iterable[tuple[str, Iterable[Any]]]) -> tuple[Counts, str]:
    """Write the file, section by section; its counts and its checksum."""
    path, counts, digest = json_path(hub, code), Counts(), hashlib.sha256()
    at = now()
    head = {
        "format": FORMAT,
        "code": code,
        "home": home_of(hub),
        "made_at": at.isoformat(),
        "expires_at": (at + LASTS).isoformat(),
        "routes": routes,
        "version": __version__,
    }
    try:
        with path.open("wb") as file:
            path.chmod(0o600)
            for line in _lines(head, sections, counts):
                digest.update(line)
                file.write(line)
    except OSError as error:
        raise NeedsPerson("plan_unwritable", path=path, detail=error.strerror or str(error)) from None
    return counts, digest.hexdigest()


def _lines(head: dict[str, Any], sections: Iterable[tuple[str, Iterable[Any]]], counts: Counts) -> Iterator[bytes]:
    yield b'{"plan": ' + msgspec.json.encode(head)
    for name, parts in sections:
        yield b',\n"%s": [' % name.encode()
        between = b"\n"
        for part in parts:
            counts.add(name, part)
            yield between + msgspec.json.encode(part)
            between = b",\n"
        yield b"\n]"
    yield b"}\n"


def save(hub: Hub, code: str, counts: Counts, sha256: str, report: dict[str, Any]) -> None:
    """The plan is ready. ``report``: what the rehearsed run says of each route."""
    plan = core.plan
    values = {
        "state": "saved",
        "params": {"sha256": sha256, "report": report},
        "items": counts.samples,
        "counts": counts.by,
        "created_at": now(),
        "expires_at": now() + LASTS,
    }
    with hub.store.begin() as conn:
        conn.execute(update(plan).where(plan.c.code == code).values(**values))


def plans(hub: Hub, limit: int = 20) -> list[Plan]:
    """The newest plans first."""
    with hub.store.read() as conn:
        query = select(core.plan).where(core.plan.c.state != "making").order_by(core.plan.c.id.desc()).limit(limit)
        return [_plan(row) for row in conn.execute(query)]


def _plan(row: Any) -> Plan:
    return Plan(
        row.id,
        row.code,
        row.state,
        list(row.routes or ()),
        dict(row.counts or {}),
        dict(row.items or {}),
        (row.params or {}).get("sha256", ""),
        row.created_at,
        row.expires_at or row.created_at,
        row.applied_run,
        row.initiator,
    )


def find(hub: Hub, name: str) -> Plan:
    """The plan of that code (or at that path), whole and unchanged, that may be applied now.

    ``NeedsPerson``: ``plan_unknown``, ``plan_foreign``, ``plan_making``, ``plan_expired``, ``plan_applied``,
    ``plan_going_on``, ``plan_file_missing``, ``plan_file_changed``.
    """
    code = _code_of(hub, name)
    table = core.plan
    with hub.store.begin() as conn:
        close_dead_runs(conn)  # one that was killed while it applied the plan holds it no longer
        row = conn.execute(select(table).where(table.c.code == code)).first()
        if row is None:
            latest = conn.execute(select(table.c.code).order_by(table.c.id.desc()).limit(5)).scalars()
            raise NeedsPerson("plan_unknown", plan=code, valid=", ".join(latest) or "—")
        plan = _plan(row)
        if plan.state == "making":
            raise NeedsPerson("plan_making", plan=code)
        if plan.state == "applied":
            raise NeedsPerson("plan_applied", plan=code, run=plan.run)
        run = core.exchange_run
        state = conn.execute(select(run.c.state).where(run.c.id == plan.run)).scalar()
    if plan.state == "applying" and state == "running":
        raise NeedsPerson("plan_going_on", plan=code, run=plan.run)
    if plan.expires_at <= now():
        raise NeedsPerson("plan_expired", plan=code, at=f"{plan.expires_at:%d.%m.%Y %H:%M} UTC")
    _prove(hub, plan)
    return plan


def _code_of(hub: Hub, name: str) -> str:
    """The code itself, or that of a plan's file; ``plan_foreign`` for one of another installation."""
    path = Path(name)
    if path.suffix not in {".json", ".xlsx"}:
        return name.strip().upper()
    head = _head(path.with_suffix(".json"))
    if head.get("home") != home_of(hub):
        raise NeedsPerson("plan_foreign", path=path, plan=head.get("code", "?"))
    return str(head["code"])


def _head(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            line = file.readline().strip().removesuffix(b",")
        found = msgspec.json.decode(line + b"}", type=dict[str, Any])["plan"]
        return dict(found)
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise NeedsPerson("plan_file_missing", path=path) from None


def _prove(hub: Hub, plan: Plan) -> None:
    path, digest = json_path(hub, plan.code), hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        raise NeedsPerson("plan_file_missing", path=path) from None
    if digest.hexdigest() != plan.sha256:
        raise NeedsPerson("plan_file_changed", path=path, plan=plan.code)


def read(hub: Hub, code: str, section: type[_Part]) -> Iterator[_Part]:
    """One section of the file, part by part."""
    wanted = next(name for name, kind in _SECTIONS.items() if kind is section)
    decoder, inside = msgspec.json.Decoder(section), False
    with json_path(hub, code).open("rb") as file:
        for line in file:
            if line.startswith(b'"'):
                inside = line.startswith(b'"%s": [' % wanted.encode())
            elif inside and line.startswith(b"{"):
                yield decoder.decode(line.rstrip(b",\n"))


def claim(hub: Hub, plan: Plan, run_id: int) -> None:
    """From now on the plan is that run's; ``NeedsPerson(plan_going_on)`` when somebody was quicker."""
    table = core.plan
    mine = or_(table.c.state == "saved", table.c.applied_run == plan.run)
    with hub.store.begin() as conn:
        taken = conn.execute(
            update(table)
            .where(table.c.id == plan.id, table.c.state.in_(("saved", "applying")), mine)
            .values(state="applying", applied_run=run_id)
        )
    if taken.rowcount != 1:
        raise NeedsPerson("plan_going_on", plan=plan.code, run="?")


def close(hub: Hub, plan: Plan, run_id: int, *, whole: bool) -> None:
    """The plan was carried out; not ``whole``: a system could not be reached, so that it may be gone on with."""
    table = core.plan
    with hub.store.begin() as conn:
        conn.execute(
            update(table)
            .where(table.c.id == plan.id, table.c.applied_run == run_id)
            .values(state="applied" if whole else "saved")
        )

"""Nights in processes that are killed by signal 9; systems and store outlive them in files.

Told as a story: people act, then a process of its own exchanges, and dies somewhere in it. Another one is started and
goes on. What people do next finds the systems as they are then.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.memory_base import Record
from hub.exchange import runs
from hub.store import core, tables
from hub.store.database import open_store
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.life import INNS, Life, route
from tests.exchange.two.living import Fuse, LivingBase
from tests.exchange.two.proof import assert_healthy
from tests.exchange.two.systems import CLIENTS, ORDERS, phone

SYSTEMS = {"ut": "trade", "ut2": "crm"}
_BEGIN = datetime(2026, 11, 20, tzinfo=UTC)


class DurableBase(LivingBase):
    """A base whose records are on the disk before a request to it is answered."""

    def __init__(self, name: str, file: Path) -> None:
        super().__init__(name)
        self.file: Path | None = None
        if file.exists():
            told = json.loads(file.read_text(encoding="utf-8"))
            self._version = told["version"]
            for stream, records in told["records"].items():
                self.records[stream] = {(record["Ref_Key"],): record for record in records}
        self.file = file

    def put(self, stream: str, record: Record) -> None:
        """As any base, and then it is on the disk."""
        super().put(stream, record)
        self._save()

    def delete(self, stream: str, *key: str) -> None:
        """As any base, and then it is on the disk."""
        super().delete(stream, *key)
        self._save()

    def _save(self) -> None:
        if self.file is None:
            return
        told = {stream: list(records.values()) for stream, records in self.records.items()}
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps({"version": self._version, "records": told}), encoding="utf-8")
        draft.replace(self.file)


class Signal9(Fuse):
    """Kills this process at the chosen step, as a power cut would; counts its steps."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.steps = at, 0

    def burn(self) -> None:
        """The process is between two steps here."""
        self.steps += 1
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def life_of(url: str, folder: Path, clock: Clock, fuse: Fuse) -> Life:
    """A hub of a new process between the systems as their files tell them."""
    routes = {
        f"{code}.{entity}": route(f"{code}.{entity}", create="after_match" if entity == "party" else "always")
        for code in SYSTEMS
        for entity in ("party", "sales_order")
    }
    bases: dict[str, LivingBase] = {code: DurableBase(code, folder / f"{code}.json") for code in SYSTEMS}
    bases["ut2"].habits.cut[CLIENTS, "ДополнительнаяИнформация"] = 12
    bases["ut"].habits.defaults[CLIENTS] = {"ДополнительнаяИнформация": "из шаблона"}
    life = Life(open_store(url), folder, SYSTEMS, routes, clock, bases, fuse)
    # Clients are compared in threads of libraries, which a fork leaves behind with their locks taken.
    life.hub.settings = replace(life.hub.settings, duplicates="off")
    return life


def night(url: str, folder: Path, number: int, dies_at: int = 0) -> int:
    """One exchange in a process of its own; how many steps it had, 0 if it was killed in one."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(told)
            _exchange(url, folder, number, dies_at, tell)
        finally:
            os._exit(1)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return 0
    assert answer.isdigit(), answer.decode()
    return int(answer)


def _exchange(url: str, folder: Path, number: int, dies_at: int, tell: int) -> None:
    """In the child: exchange, and tell how many steps that took, or what went wrong."""
    try:
        with ticking(Clock(_BEGIN + timedelta(days=number))) as clock:
            fuse = Signal9(dies_at)
            life = life_of(url, folder, clock, fuse)
            with life.store.begin() as conn:
                runs.close_dead_runs(conn)
            assert life.night(days=0)
            assert_healthy(life)
            life.store.close()
        os.write(tell, str(fuse.steps).encode())
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - handed over to the parent, whatever it is
        os.write(tell, repr(error).encode())


Act = Callable[[Life], None]


def _first(life: Life) -> None:
    life.new_client("ut", 0, ДополнительнаяИнформация="постоянный")
    life.new_client("ut", 1)
    life.new_client("ut2", 0)
    life.new_client("ut2", 2, КонтактнаяИнформация=[phone("+79000000001")])
    life.new_order("ut", _key(life, "ut", 1))


def _second(life: Life) -> None:
    life.approve()
    life.edit("ut", _key(life, "ut", 0), "ДополнительнаяИнформация", "платит вовремя и без напоминаний")
    life.edit("ut2", _key(life, "ut2", 0), "НаименованиеПолное", "ООО Иное имя")
    life.change("ut", _key(life, "ut", 2), КонтактнаяИнформация=[phone("+79000000002")])
    life.new_client("ut2", 3)
    (order,) = life.keys("ut2", ORDERS)
    life.edit("ut2", order, "Комментарий", "срочно", ORDERS)


def _third(life: Life) -> None:
    life.edit("ut", _key(life, "ut", 0), "ДополнительнаяИнформация", "")
    life.edit("ut2", _key(life, "ut2", 0), "ДополнительнаяИнформация", "перезвонить")
    life.change("ut2", _key(life, "ut2", 3), DeletionMark=True)
    life.edit("ut", _key(life, "ut", 2), "НаименованиеПолное", "ООО Второе")
    life.new_order("ut2", _key(life, "ut2", 2))
    life.bases["ut2"].delete(CLIENTS, _key(life, "ut2", 1))


def _key(life: Life, system: str, number: int) -> str:
    records = life.bases[system].records[CLIENTS].values()
    return next(str(record["Ref_Key"]) for record in records if record["ИНН"] == INNS[number])


#: What people do before each night; the last nights are in peace.
ACTS: Sequence[Act] = (_first, _second, _third, lambda _: None, lambda _: None)


def scenario(url: str, folder: Path, kills: Sequence[tuple[int, int]] = ()) -> tuple[dict[str, Any], list[int]]:
    """All nights; each of ``kills`` (night, step) ends a process, and another one goes on. What there is in the end,
    and how many steps the nights took.
    """
    steps = []
    for number, act in enumerate(ACTS):
        with ticking(Clock(_BEGIN + timedelta(days=number, hours=-6))) as clock:
            life = life_of(url, folder, clock, Fuse())
            life.counter = 100 * number
            act(life)
            life.store.close()
        for at in (at for when, at in kills if when == number):
            night(url, folder, number, at)
        steps.append(night(url, folder, number))
    with ticking(Clock()) as clock:
        life = life_of(url, folder, clock, Fuse())
        state = told(life)
        life.store.close()
    return state, steps


def told(life: Life) -> dict[str, Any]:
    """What readers and users see in the end, without keys that chance gave: records go by ИНН and number."""
    names = {
        key: f"{record.get('ИНН') or ''}{record.get('Number') or ''}"
        for base in life.bases.values()
        for records in base.records.values()
        for (key,), record in records.items()
    }
    state: dict[str, Any] = {}
    for code, base in life.bases.items():
        for stream, records in base.records.items():
            state[f"{code} {stream}"] = sorted((_plain(record, names) for record in records.values()), key=str)
    by_record: dict[int, list[str]] = {}
    name_of: dict[int, str] = {}
    systems = {number: code for code in life.bases for number in life.hub.streams[code].values()}
    for row in life.rows(core.link, core.link.c.record_id.is_not(None)):
        name = names.get(row["external_id"], "нет")
        by_record.setdefault(row["record_id"], []).append(f"{systems[row['stream_id']]} {name} {row['state']}")
        name_of[row["id"]] = f"{systems[row['stream_id']]} {name}"
    for entity, fields in {"party": ("display_name", "legal_name", "comment"), "sales_order": ("comment",)}.items():
        root = tables.ROOTS[entity]
        rows = life.rows(root)
        found = (
            (*(row[name] for name in fields), row["record_state"], *sorted(by_record.get(row["id"], ())))
            for row in rows
        )
        state[entity] = sorted(found, key=str)
    with life.store.read() as conn:
        for child in ("contact_point", "party_identifier"):
            state[child] = sorted(conn.execute(select(tables.CHILDREN[child].c.value_norm)).scalars())
        said = conn.execute(select(core.contribution.c.link_id, core.contribution.c.shown))
        state["shown"] = sorted(f"{name_of[number]} {len(shown)}" for number, shown in said if number in name_of)
    owed = life.rows(core.outbox)
    state["outbox"] = sorted((name_of[row["link_id"]], row["state"], str(row["last_error"])) for row in owed)
    conflicts = life.rows(core.conflict)
    state["conflict"] = sorted((name_of[row["link_id"]], row["field"], row["state"]) for row in conflicts)
    return state


def _plain(record: Record, names: dict[str, str]) -> dict[str, Any]:
    chosen = {name: value for name, value in record.items() if name not in {"Ref_Key", "DataVersion"} and value}
    keys = {name: names.get(str(value), "нет") for name, value in chosen.items() if name == "Контрагент_Key"}
    return dict(sorted({**chosen, **keys}.items()))

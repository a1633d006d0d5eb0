"""`why` tells what happened: held against a replay of the whole history by brute force, and cell by cell."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from hub.exchange.pins import pin
from hub.exchange.which import find
from hub.exchange.why import why
from hub.exchange.why_model import Cell
from hub.model.errors import NeedsPerson
from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.two.days import night, two_of
from tests.exchange.two.systems import Two, client, make_two, phone

COMMENT, FULL, NAME = "ДополнительнаяИнформация", "НаименованиеПолное", "Description"
#: Field of 1C, cell, order of the systems, does the loser keep its own.
FIELDS = {
    COMMENT: ("comment", ("ut2", "ut"), False),
    FULL: ("legal_name", ("ut", "ut2"), True),
    NAME: ("display_name", ("ut2", "ut"), True),
}


@dataclass
class Replay:
    """One field, replayed word by word. ``own``: (value, day) that each system last said of its own accord."""

    order: tuple[str, str]
    latest: bool
    keeps: bool
    own: dict[str, tuple[str, int]] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    golden: str = ""
    changes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def winner(self) -> str:
        """Of equal days the first in the order."""
        if self.latest:
            newest = max(day for _, day in self.own.values())
            return next(system for system in self.order if self.own.get(system, ("", -1))[1] == newest)
        return next(system for system in self.order if system in self.own)

    def said(self, system: str, value: str, day: int) -> None:
        """A system shows a value that nobody wrote there."""
        self.own[system] = (value, day)
        before, self.golden = self.golden, self.own[self.winner][0]
        if before and before != self.golden:
            self.changes.append((before, self.golden))
        self.shown[system] = value

    def told(self) -> None:
        """At the end of the night each system shows the golden value, but who may keep its own until news come.

        New is what became known later: of one night's words that of the system that is read second.
        """
        known = {system: (day, READ.index(system)) for system, (_, day) in self.own.items()}
        for system, (mine, _) in self.own.items():
            stays = self.keeps and self.shown[system] == mine and known[self.winner] <= known[system]
            if not stays:
                self.shown[system] = self.golden


#: The order in which a night reads the systems.
READ = ("ut", "ut2")
WORDS = st.sampled_from(["а", "б", "в"])
EDITS = st.lists(
    st.dictionaries(st.tuples(st.sampled_from(["ut", "ut2"]), st.sampled_from(sorted(FIELDS))), WORDS, max_size=3),
    max_size=4,
)


_QUICK = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_QUICK
@given(EDITS)
def test_why_is_what_a_replay_of_the_whole_history_says(
    sqlite_template: Path, shapes: frozen.Frozen, days: list[dict[tuple[str, str], str]]
) -> None:
    """Random edits in two systems: value, winner, losers, earlier values and who shows what, as brute force has it."""
    play(sqlite_template, shapes, days)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(_QUICK, max_examples=60)
@given(EDITS)
def test_why_holds_over_many_histories(
    sqlite_template: Path, shapes: frozen.Frozen, days: list[dict[tuple[str, str], str]]
) -> None:
    """The same, often."""
    play(sqlite_template, shapes, days)


def play(template: Path, streams: frozen.Frozen, days: list[dict[tuple[str, str], str]]) -> None:
    """Play the days in two systems and beside them, then compare."""
    with two_of(template, streams) as (two, clock):
        keys = {system: two.put(system, client("о", **{COMMENT: "о"})) for system in ("ut", "ut2")}
        replays = {name: Replay(order, name == COMMENT, keeps) for name, (_, order, keeps) in FIELDS.items()}
        for replay in replays.values():
            replay.said("ut", "о", 0)
            replay.said("ut2", "о", 0)
        night(two, clock)
        night(two, clock)
        for day, edits in enumerate(days, 1):
            for system in ("ut", "ut2"):
                typed = {name: word for (where, name), word in edits.items() if where == system}
                typed = {name: word for name, word in typed.items() if replays[name].shown[system] != word}
                if typed:
                    two.edit(system, keys[system], **typed)
                for name, word in typed.items():
                    replays[name].said(system, word, day)
            for replay in replays.values():
                replay.told()
            night(two, clock)
            night(two, clock)
        told = {cell.path: cell for cell in why(two.hub, "party", keys["ut"]).cells}
        for name, replay in replays.items():
            path = FIELDS[name][0]
            assert seen(told[path]) == expected(replay), path
            assert {system: two.shows(system, key)[name] for system, key in keys.items()} == replay.shown, path


def seen(cell: Cell) -> dict[str, object]:
    """What `why` says of a cell, without moments."""
    assert cell.winner is not None
    return {
        "value": cell.value,
        "winner": cell.winner.system,
        "lost": sorted((one.system, one.value) for one in cell.lost),
        "changes": [(event.before, event.after) for event in cell.history if event.op == "update"],
        "shown": sorted((one.system, one.shown, one.reason) for one in cell.shown),
    }


def expected(replay: Replay) -> dict[str, object]:
    """The same as brute force has it."""
    others = [(system, value) for system, (value, _) in replay.own.items() if value != replay.golden]
    apart = [(system, value) for system, value in replay.shown.items() if value != replay.golden]
    return {
        "value": replay.golden,
        "winner": replay.winner,
        "lost": sorted(others),
        "changes": replay.changes,
        "shown": sorted((system, value, "tolerated") for system, value in apart),
    }


@pytest.fixture
def two(store: Store, tmp_path: Path, shapes: frozen.Frozen) -> Two:
    bases = {code: frozen.load(shapes) for code in ("ut", "ut2")}
    return make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"})


def exchanged(two: Two) -> None:
    two.exchange("ut.party", "ut2.party")


def cell(two: Two, ident: str, path: str) -> Cell:
    (found,) = why(two.hub, "party", ident, path).cells
    return found


def test_a_record_of_one_system_is_told_without_a_contribution_row(two: Two) -> None:
    """The bulk path keeps no row: the system itself is the winner, with the run and the mapping's version."""
    one = two.put("ut", client("ООО Ромашка", КонтактнаяИнформация=[phone("+7 495 1234567")]))
    exchanged(two)
    two.edit("ut", one, **{COMMENT: "новое"})
    exchanged(two)
    assert two.rows(core.contribution) == []
    answer = why(two.hub, "party", one)
    assert (answer.label, [place.system for place in answer.places]) == ("ООО Ромашка", ["ut"])
    found = {cell.path: cell for cell in answer.cells}
    assert {"comment", "legal_name", "kind", "contact_point[phone,+74951234567,]", "record_state"} <= found.keys()
    comment = found["comment"]
    assert comment.winner is not None
    assert comment.change is not None
    assert (comment.winner.system, comment.rule, comment.lost) == ("ut", "latest", ())
    assert two.last is not None
    assert (comment.change.run, comment.change.before, comment.change.after) == (two.last.run_id, None, "новое")
    hashes = {row["mapping_hash"] for row in two.rows(core.run_route) if row["run_id"] == two.last.run_id}
    assert comment.mapping in hashes - {None, ""}
    assert found["contact_point[phone,+74951234567,]"].value == "+7 495 1234567"
    json.dumps(asdict(answer), default=str)


def test_what_is_not_sent_yet_is_told_with_its_reason(two: Two) -> None:
    """A pinned value waits for the next exchange; a refused one says what the system shows; a held one who must act."""
    one = two.put("ut", client("ООО Ромашка"))
    exchanged(two)
    done = pin(two.hub, "party", one, "comment", "закреплено", by="Анна", note="так решили")
    assert done.told == ("ut",)
    found = cell(two, one, "comment")
    assert found.pin is not None
    assert (found.rule, found.pin.by, found.pin.note) == ("pin", "Анна", "так решили")
    (owed,) = found.shown
    assert (owed.system, owed.shown, owed.meant, owed.state) == ("ut", None, "закреплено", "pending")
    params = {"field": "comment", "sent": "закреплено", "shown": "закр"}
    with two.store.begin() as conn:
        refused = {"state": "failed", "last_error": "shows_otherwise", "error_params": params}
        conn.execute(update(core.outbox).values(**refused))
    (owed,) = cell(two, one, "comment").shown
    assert (owed.state, owed.code, owed.params) == ("failed", "shows_otherwise", params)


def test_open_questions_and_held_changes_are_told(two: Two) -> None:
    """A conflict shows both sides and that the agreed value is held; a change held back stands at its system."""
    one = two.put("ut", client("ООО Ромашка", **{COMMENT: "общее"}))
    two.put("ut2", client("ООО Ромашка", **{COMMENT: "общее"}))
    exchanged(two)
    with two.store.begin() as conn:
        links = {row["external_id"]: row for row in two.rows(core.link)}
        link = links[one]
        conn.execute(
            insert(core.conflict).values(
                route_id=two.hub.routes["ut.party"].id,
                link_id=link["id"],
                entity="party",
                record_id=link["record_id"],
                field="comment",
                base="общее",
                ours="общее",
                theirs="другое",
                policy="manual",
                run_id=1,
                created_at=link_time(two),
            )
        )
        conn.execute(
            insert(core.held).values(
                route_id=two.hub.routes["ut.party"].id,
                stream_id=link["stream_id"],
                external_id=one,
                op="change",
                reason_code="mass_change",
                params={"wanted": 5, "limit": 1, "population": 9},
                first_run=1,
                last_run=1,
                at=link_time(two),
            )
        )
    answer = why(two.hub, "party", one, "Дополнительная информация")
    (found,) = answer.cells
    assert (found.path, found.rule, found.value) == ("comment", "held", "общее")
    assert [(one.system, one.ours, one.theirs) for one in found.questions] == [("ut", "общее", "другое")]
    assert [place.waits[0][:2] for place in answer.places if place.waits] == [("held", "mass_change")]


def link_time(two: Two) -> object:
    return two.rows(core.exchange_run)[0]["started_at"]


def test_a_record_is_named_in_many_ways(two: Two) -> None:
    """By number, key in any case, ИНН, phone as people write it, e-mail; several are told, none is a sentence."""
    mail = {"LineNumber": "2", "Тип": "АдресЭлектроннойПочты", "Представление": "info@romashka.ru", "АдресЭП": ""}
    one = two.put("ut", client("ООО Ромашка", КонтактнаяИнформация=[phone("+7 495 1234567"), mail]))
    two.put("ut", client("ООО Лютик", inn="7736050003", kpp="773601001"))
    two.put("ut", client("Филиал Лютика", inn="7736050003", kpp="770101001"))
    exchanged(two)
    number = two.record("ut", one)
    with two.store.read() as conn:
        for ident in (
            str(number),
            f"№ {number}",
            one,
            one.upper(),
            "7707083893",
            "8 (495) 123-45-67",
            "INFO@romashka.ru",
        ):
            assert [found.record_id for found in find(conn, two.hub, "party", ident)] == [number], ident
        both = {found.label for found in find(conn, two.hub, "party", "7736050003")}
        assert both == {"ООО Лютик", "Филиал Лютика"}
    with pytest.raises(NeedsPerson, match="несколько записей"):
        why(two.hub, "party", "7736050003")
    with pytest.raises(NeedsPerson, match="не нашлось"):
        why(two.hub, "party", "нет такого")
    with pytest.raises(NeedsPerson, match="нет поля «коммент»"):
        why(two.hub, "party", one, "коммент")


def test_a_pin_on_a_record_that_the_hub_made_keeps_its_other_cells(two: Two) -> None:
    """A task that a rule gave has no link and no contribution; a pin of one cell leaves the rest as it was."""
    from hub.store import tables

    with two.store.begin() as conn:
        row = {"id": 900, "title": "Разобраться", "status": "not_started", "created_by_run": 1, "updated_by_run": 1}
        conn.execute(insert(tables.ROOTS["task"]).values(**row))
    pin(two.hub, "task", "900", "status", "done", by="Анна")
    with two.store.read() as conn:
        found = conn.execute(tables.ROOTS["task"].select()).mappings().one()
    assert (found["title"], found["status"]) == ("Разобраться", "done")

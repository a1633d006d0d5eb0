"""Questions that wait for a person, and what becomes of the answers in both systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.engine.loops import RETURNS
from hub.exchange import conflicts, pauses
from hub.exchange.conflicts import Question, Wanted
from hub.exchange.conflicts_decided import Answer, check, resolve
from hub.model.settings import RouteSettings
from hub.model.settings_routes import PolicySettings
from hub.reports.decision_book import export_conflicts, read_conflicts
from hub.store import core
from hub.store.database import Store
from tests.cli.workbook import cells
from tests.exchange import frozen
from tests.exchange.two.systems import Two, bare, client, make_two

COMMENT = "ДополнительнаяИнформация"
ASKED = {"comment": PolicySettings(policy="manual")}


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    """Two systems; of comments a person decides."""
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    routes = {f"{code}.party": RouteSettings("", write="all", policies=ASKED) for code in bases}
    return make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})


def asked(two: Two) -> tuple[str, str, Question]:
    """One client whose comment both sides changed before either heard of the other; keys and the question."""
    one, other = two.put("ut", client("ООО Ромашка")), two.put("ut2", client("ООО Ромашка"))
    two.exchange()
    two.edit("ut", one, **{COMMENT: "наше"})
    pauses.pause(two.hub, "ut2.party", "перерыв", "анна", until=None)
    two.exchange()
    two.edit("ut2", other, **{COMMENT: "их"})
    pauses.resume(two.hub, "ut2.party")
    two.exchange()
    (question,) = conflicts.questions(two.hub, Wanted())
    return one, other, question


def test_the_queue_tells_both_sides_and_what_the_usual_rule_would_do(two: Two) -> None:
    """Base, ours, theirs with system and time; a night later it is the same question, asked once."""
    one, other, question = asked(two)
    assert (question.path, question.rule, question.system) == ("comment", "manual", "ut2")
    assert (question.base, question.ours, question.theirs) == (None, "наше", "их")
    assert question.suggestion in {"ours", "theirs"}
    (group,) = conflicts.groups(two.hub, Wanted())
    assert (group.entity, group.field, group.number, group.systems) == ("party", "comment", 1, ("ut2",))
    two.exchange()
    assert len(two.rows(core.conflict)) == 1
    assert (two.shows("ut", one)[COMMENT], two.shows("ut2", other)[COMMENT]) == ("наше", "их")


@pytest.mark.parametrize(
    ("word", "text", "value"), [("ours", "", "наше"), ("theirs", "", "их"), ("value", "третье", "третье")]
)
def test_an_answer_reaches_whoever_shows_something_else(two: Two, word: str, text: str, value: str) -> None:
    """The answer is the golden value, both systems show it after the next exchange, and who decided is on record."""
    one, other, question = asked(two)
    done = resolve(two.hub, [Answer(question.id, word, text)], by="анна")  # type: ignore[arg-type]
    assert (done.answered, done.gone) == (1, 0)
    assert two.golden("ut", one)["comment"] == value
    two.exchange()
    assert (two.shows("ut", one)[COMMENT], two.shows("ut2", other)[COMMENT]) == (value, value)
    (row,) = two.rows(core.conflict)
    assert (row["state"], row["resolved_by"], row["resolution"]["answer"]) == ("resolved", "анна", word)
    assert row["resolved_at"] is not None
    writes = two.writes()
    two.exchange()
    assert (two.writes(), two.rows(core.outbox), len(two.rows(core.conflict))) == (writes, [], 1)
    assert resolve(two.hub, [Answer(question.id, "ours")], by="анна").gone == 1


def test_later_keeps_the_question_and_says_who_put_it_off(two: Two) -> None:
    """Nothing changes, the question stays open."""
    _, _, question = asked(two)
    assert resolve(two.hub, [Answer(question.id, "later")], by="анна").put_off == 1
    (again,) = conflicts.questions(two.hub, Wanted())
    assert again.put_off.startswith("анна")
    assert two.rows(core.conflict)[0]["state"] == "open"


def test_what_survives_together_is_answered_whole(two: Two, tmp_path: Path, store: Store) -> None:
    """One field of a group is asked about: the answer takes all fields of the group from that card."""
    two = make_two(
        store,
        tmp_path,
        two.bases,
        {
            f"{code}.party": RouteSettings(
                "",
                write="all",
                policies={
                    name: PolicySettings(policy="manual", group="names", order=("trade", "crm"))
                    for name in ("comment", "legal_name")
                },
            )
            for code in two.bases
        },
        roles={"ut": "trade", "ut2": "crm"},
    )
    one, other = two.put("ut", client("ООО Ромашка")), two.put("ut2", client("ООО Ромашка"))
    two.exchange()
    two.edit("ut", one, **{COMMENT: "наше"})
    pauses.pause(two.hub, "ut2.party", "перерыв", "анна", until=None)
    two.exchange()
    two.edit("ut2", other, **{COMMENT: "их", "НаименованиеПолное": "ООО Ромашка и К"})
    pauses.resume(two.hub, "ut2.party")
    two.exchange()
    asked_ = conflicts.questions(two.hub, Wanted())
    (comment,) = [one_ for one_ in asked_ if one_.path == "comment"]
    assert "legal_name" in comment.together
    resolve(two.hub, [Answer(comment.id, "theirs")], by="анна")
    golden = two.golden("ut", one)
    assert (golden["comment"], golden["legal_name"]) == ("их", "ООО Ромашка и К")
    assert {row["state"] for row in two.rows(core.conflict)} == {"resolved"}
    two.exchange()
    assert (two.shows("ut", one)[COMMENT], two.shows("ut", one)["НаименованиеПолное"]) == ("их", "ООО Ромашка и К")


def test_systems_that_undo_each_other_are_both_named_and_asked_once(
    store: Store, tmp_path: Path, frozen_streams: frozen.Frozen
) -> None:
    """Each sets its own value back until the exchange stops the field; after the answer it is not stopped again."""
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    latest = {"comment": PolicySettings(policy="latest")}
    routes = {f"{code}.party": RouteSettings("", write="all", policies=latest) for code in bases}
    two = make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})
    keys = {"ut": two.put("ut", client("ООО Ромашка")), "ut2": two.put("ut2", client("ООО Ромашка"))}
    two.exchange()
    with two.store.begin() as conn:  # what so many nights would have left
        record = two.record("ut", keys["ut"])
        links = {row["external_id"]: row["id"] for row in two.rows(core.link)}
        from hub.exchange.write import write_log

        sides = [("ut", "а", "б"), ("ut2", "б", "а")]
        log = [
            (1, "party", record, links[keys[code]], "update", "comment", before, after, "2026-01-01 00:00:00")
            for code, after, before in (sides * RETURNS + sides[:1])
        ]
        write_log(conn, log)
    two.edit("ut2", keys["ut2"], **{COMMENT: "б"})
    two.exchange()
    found = conflicts.questions(two.hub, Wanted())
    if not found:  # the newest edit is looked at when it is sent
        two.edit("ut", keys["ut"], **{COMMENT: "а"})
        two.exchange()
        found = conflicts.questions(two.hub, Wanted())
    assert {(one.rule, one.system, one.others) for one in found} == {
        ("ping_pong", "ut", ("ut2",)),
        ("ping_pong", "ut2", ("ut",)),
    }
    resolve(two.hub, [Answer(found[0].id, "value", "в")], by="анна")
    two.exchange()
    two.exchange()
    assert conflicts.questions(two.hub, Wanted()) == []
    assert {two.shows(code, key)[COMMENT] for code, key in keys.items()} == {"в"}


def test_a_file_of_answers_comes_back(two: Two, tmp_path: Path) -> None:
    """Exported, filled in and read again; a mistake stops it, what has changed meanwhile is left out."""
    from openpyxl import load_workbook

    one, other, question = asked(two)
    path, number = export_conflicts(two.hub, tmp_path / "к.xlsx", Wanted(), "ru")
    (row,) = cells(path, "Конфликты")
    assert number == 1
    assert (row["у нас"], row["в системе"], row["поле"]) == ("наше", "их", question.title)

    def fill(word: str) -> None:
        book = load_workbook(path)
        sheet = book["Конфликты"]
        place = [cell.value for cell in sheet[1]].index("решение") + 1
        sheet.cell(2, place).value = word
        book.save(path)

    assert check(two.hub, read_conflicts(path)).undecided == 1
    fill("чудо")
    assert [fault.error.code for fault in check(two.hub, read_conflicts(path)).mistakes] == ["decision_unknown"]
    fill("их")
    assert check(two.hub, read_conflicts(path)).answers == [Answer(question.id, "theirs")]
    two.edit("ut2", other, **{COMMENT: "совсем другое"})
    two.exchange()
    assert [fault.error.code for fault in check(two.hub, read_conflicts(path)).late] == ["question_changed"]
    resolve(two.hub, [Answer(question.id, "theirs")], by="анна")
    assert [fault.error.code for fault in check(two.hub, read_conflicts(path)).late] == ["question_gone"]
    assert two.golden("ut", one)["comment"] == "совсем другое"

"""A plan is carried out as far as it is still true; the rest is listed, and nothing else happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hub.exchange.plan import file
from hub.exchange.plan.apply import ApplyReport, apply_plan
from hub.exchange.plan.make import make_plan
from hub.exchange.plan.parts import Item, Outgoing
from hub.exchange.runs import now
from hub.model.errors import NeedsPerson, StopSystem
from hub.model.settings import PolicySettings, RouteSettings
from hub.store import core
from hub.store.database import Store
from hub.store.tables import ROOTS
from tests.exchange import frozen
from tests.exchange.two.systems import Two, bare, client, make_two, phone

ROUTES = ["ut.party", "ut2.party"]


@pytest.fixture
def two(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Two:
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    return make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"})


def plan(two: Two) -> str:
    return make_plan(two.hub, ROUTES).code


def reasons(report: ApplyReport) -> list[tuple[str, str]]:
    return [(one.section, one.reason) for one in report.moved]


def test_what_was_planned_is_done(two: Two) -> None:
    """An edit and a new client are taken, the edit is sent on; the exchange after it finds nothing to do."""
    one, other = two.put("ut", client("ООО Ромашка")), two.put("ut2", client("ООО Ромашка"))
    two.exchange(*ROUTES)
    two.edit("ut2", other, ДополнительнаяИнформация="звонить после обеда")
    new = two.put("ut", client("ООО Лютик", inn="7736050003", kpp="773601001"))
    code = plan(two)
    report = apply_plan(two.hub, code)
    assert (report.applied, report.sent, report.moved, report.exit_code) == (2, 1, [], 0)
    assert two.shows("ut", one)["ДополнительнаяИнформация"] == "звонить после обеда"
    assert two.golden("ut", new)["legal_name"] == "ООО Лютик"
    assert [(row["mode"], row["state"]) for row in two.rows(core.exchange_run)][-1] == ("apply", "completed")
    assert [(row["state"], row["applied_run"]) for row in two.rows(core.plan)] == [("applied", report.run.run_id)]
    writes, log = two.writes(), len(two.rows(core.change_log))
    two.exchange(*ROUTES)
    assert (two.writes(), len(two.rows(core.change_log))) == (writes, log)


def test_two_full_cards_that_met_are_brought_together_by_a_plan(two: Two) -> None:
    """What waits because two cards met is in the plan with both sides, and applying it sends exactly that."""
    one = two.put("ut", client("ООО Ромашка", КонтактнаяИнформация=[phone("+7 495 1234567")]))
    other = two.put("ut2", client("Ромашка, ООО", КонтактнаяИнформация=[phone("+7 495 7654321")]))
    two.exchange(*ROUTES)
    assert {row["last_error"] for row in two.rows(core.outbox)} == {"first_contact"}
    report = apply_plan(two.hub, plan(two))
    assert (report.sent, report.moved) == (2, [])
    assert two.rows(core.outbox) == []
    for system, key in (("ut", one), ("ut2", other)):
        told = [row["НомерТелефона"] for row in two.shows(system, key)["КонтактнаяИнформация"]]
        assert {re.sub(r"\D", "", number) for number in told} == {"74951234567", "74957654321"}, system


def test_what_moved_since_is_listed_and_left_alone(two: Two) -> None:
    """A record edited again, and one whose card here has changed, are not applied; a third one is."""
    keys = [
        two.put("ut", client(f"ООО {n}", inn=inn)) for n, inn in enumerate(("7707083893", "7736050003", "7728168971"))
    ]
    two.exchange(*ROUTES)
    for key in keys:
        two.edit("ut", key, НаименованиеПолное="ООО Новое")
    code = plan(two)
    two.edit("ut", keys[0], НаименованиеПолное="ООО Ещё новее")
    with two.store.begin() as conn:
        root = ROOTS["party"]
        conn.execute(
            update(root).where(root.c.id == two.record("ut", keys[1])).values(row_version=root.c.row_version + 1)
        )
    report = apply_plan(two.hub, code)
    assert report.applied == 1
    assert sorted(reasons(report)) == [("items", "plan_changed"), ("items", "plan_golden_moved")]
    assert report.exit_code == 1
    assert [two.golden("ut", key)["legal_name"] for key in keys] == ["ООО 0", "ООО 1", "ООО Новое"]


def test_a_plan_that_cannot_be_applied_says_so(two: Two) -> None:
    """Unknown, applied once already, expired, changed in its file, missing, of another home: each has its sentence."""
    two.put("ut", client("ООО Ромашка"))
    code = plan(two)

    def refusal(name: str) -> str:
        with pytest.raises(NeedsPerson) as caught:
            apply_plan(two.hub, name)
        assert caught.value.sentence("ru") != caught.value.code
        return caught.value.code

    assert refusal("P-20200101-0001") == "plan_unknown"
    path = two.hub.settings.home / "plans" / f"{code}.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ООО Ромашка", "ООО Другая"), encoding="utf-8")
    assert refusal(code) == "plan_file_changed"
    path.unlink()
    assert refusal(code) == "plan_file_missing"
    path.write_text(text, encoding="utf-8")
    foreign = two.hub.settings.home / "other.json"
    foreign.write_text(text.replace('"home":"', '"home":"0'), encoding="utf-8")
    assert refusal(str(foreign)) == "plan_foreign"
    with two.store.begin() as conn:
        conn.execute(update(core.plan).values(expires_at=now()))
    assert refusal(code) == "plan_expired"
    with two.store.begin() as conn:
        conn.execute(update(core.plan).values(expires_at=None, created_at=now().replace(year=2099)))
    assert apply_plan(two.hub, code.lower()).applied > 0
    assert refusal(str(path)) == "plan_applied"
    with two.store.read() as conn:
        assert conn.execute(select(core.plan.c.state)).scalar() == "applied"


def test_nothing_else_is_applied(two: Two) -> None:
    """What was edited after the plan was saved waits for the next exchange, and no cursor has moved."""
    keys = [two.put("ut", client(f"ООО {n}", inn=inn)) for n, inn in enumerate(("7707083893", "7736050003"))]
    two.exchange(*ROUTES)
    two.edit("ut", keys[0], НаименованиеПолное="ООО Новое")
    code = plan(two)
    two.edit("ut", keys[1], НаименованиеПолное="ООО Позже")
    cursors = two.rows(core.cursor)
    report = apply_plan(two.hub, code)
    assert (report.applied, report.moved) == (1, [])
    assert [two.golden("ut", key)["legal_name"] for key in keys] == ["ООО Новое", "ООО 1"]
    assert two.rows(core.cursor) == cursors


def test_what_would_be_sent_otherwise_now_is_not_sent(two: Two) -> None:
    """Somebody has typed into the field that the plan would fill: it is left, and the next exchange decides it."""
    one, other = two.put("ut", client("ООО Ромашка")), two.put("ut2", client("ООО Ромашка"))
    two.exchange(*ROUTES)
    two.edit("ut2", other, ДополнительнаяИнформация="звонить")
    code = plan(two)
    two.edit("ut", one, ДополнительнаяИнформация="не звонить")
    report = apply_plan(two.hub, code)
    assert report.sent == 0
    assert [section for section, _ in reasons(report)] == ["outgoing"]
    assert two.shows("ut", one)["ДополнительнаяИнформация"] == "не звонить"


def test_a_first_contact_that_has_moved_stays_held(two: Two) -> None:
    """Two cards met, the plan shows what would be sent; one is edited before it is applied: a person looks again."""
    one = two.put("ut", client("ООО Ромашка"))
    two.put("ut2", client("ООО Ромашка", ДополнительнаяИнформация="звонить"))
    two.exchange(*ROUTES)
    held = [(row["link_id"], row["state"], row["last_error"]) for row in two.rows(core.outbox)]
    assert [state for _, state, _ in held] == ["held"]
    code = plan(two)
    two.edit("ut", one, КонтактнаяИнформация=[phone("+7 495 1234567")], ДополнительнаяИнформация="сам")
    assert [section for section, _ in reasons(apply_plan(two.hub, code))] == ["outgoing"]
    assert two.shows("ut", one)["ДополнительнаяИнформация"] == "сам"


def test_a_plan_goes_on_when_a_system_was_down(two: Two) -> None:
    """One base does not answer: its records wait, the plan stays good, and what was done is not done twice."""
    first = two.put("ut", client("ООО Ромашка"))
    second = two.put("ut2", client("ООО Лютик", inn="7736050003"))
    two.exchange(*ROUTES)
    two.edit("ut", first, НаименованиеПолное="ООО Новая Ромашка")
    two.edit("ut2", second, НаименованиеПолное="ООО Новый Лютик")
    code = plan(two)
    base = two.bases["ut2"]
    base.fail(StopSystem("auth_failed", system="ut2"))
    report = apply_plan(two.hub, code)
    assert (report.applied, report.whole) == (1, False)
    assert ("items", "auth_failed") in reasons(report)
    assert [row["state"] for row in two.rows(core.plan)] == ["saved"]
    report = apply_plan(two.hub, code)
    assert (report.already, report.applied, report.moved, report.whole) == (1, 1, [], True)
    assert two.golden("ut2", second)["legal_name"] == "ООО Новый Лютик"
    assert [row["op"] for row in two.rows(core.change_log) if row["field"] == "legal_name"] == ["update", "update"]


def test_a_deleted_record_is_planned_and_asked_for_again(two: Two) -> None:
    """A record that is physically gone is marked so here by the plan; one that is back by then is left as it was."""
    keys = [two.put("ut", client(f"ООО {n}", inn=inn)) for n, inn in enumerate(("7707083893", "7736050003"))]
    two.exchange(*ROUTES)
    kept = two.shows("ut", keys[1])
    for key in keys:
        del two.bases["ut"].records["Catalog_Контрагенты"][key,]
    code = plan(two)
    two.put("ut", kept)
    report = apply_plan(two.hub, code)
    assert (report.applied, reasons(report)) == (1, [("items", "plan_changed")])
    assert [two.golden("ut", key)["record_state"] for key in keys] == ["deleted", "active"]


def test_a_record_to_be_made_elsewhere_is_made_as_planned(
    store: Store, tmp_path: Path, frozen_streams: frozen.Frozen
) -> None:
    """A route that makes records: the plan shows the new record whole, applying it makes exactly that one."""
    routes = {"ut2.party": RouteSettings("ut2.party", write="all", create="always", create_in="counterparty")}
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    two = make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})
    two.exchange(*ROUTES)
    before = len(bases["ut2"].records["Catalog_Контрагенты"])
    two.put("ut", client("ООО Ромашка"))
    code = plan(two)
    assert len(bases["ut2"].records["Catalog_Контрагенты"]) == before
    made = [part for part in file.read(two.hub, code, Outgoing) if part.label == "ООО Ромашка"]
    assert [(part.op, part.external_id, part.system) for part in made] == [("create", "", "ut2")]
    assert ("legal_name", None, "ООО Ромашка") in [(cell.field, cell.before, cell.after) for cell in made[0].changes]
    report = apply_plan(two.hub, code)
    assert (report.sent, report.moved) == (1, [])
    names = [record.get("НаименованиеПолное") for record in bases["ut2"].records["Catalog_Контрагенты"].values()]
    assert names.count("ООО Ромашка") == 1
    writes = two.writes()
    two.exchange(*ROUTES)
    assert two.writes() == writes


def test_other_rules_are_planned_and_applied(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> None:
    """A field that is handed to another master: the plan shows every card that changes, and applies it."""
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    two = make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"})
    one = two.put("ut", client("ООО Ромашка", ДополнительнаяИнформация="из УТ"))
    two.put("ut2", client("Ромашка", ДополнительнаяИнформация="из CRM"))
    two.exchange(*ROUTES)
    before = two.golden("ut", one)["comment"]
    wanted = {"из УТ": ("ut2", "ut"), "из CRM": ("ut", "ut2")}[before]
    policy = PolicySettings(policy="master", order=wanted)
    routes = {
        code: RouteSettings(code, write="all", policies={"comment": policy} if code == "ut.party" else {})
        for code in ROUTES
    }
    two = make_two(store, tmp_path, bases, routes, roles={"ut": "trade", "ut2": "crm"})
    code = plan(two)
    rules = [item for item in file.read(two.hub, code, Item) if item.kind == "rules"]
    assert [[(cell.field, cell.before) for cell in item.changes] for item in rules] == [[("comment", before)]]
    assert two.golden("ut", one)["comment"] == before
    report = apply_plan(two.hub, code)
    assert "items" not in [section for section, _ in reasons(report)]
    assert two.golden("ut", one)["comment"] == ({"из УТ", "из CRM"} - {before}).pop()

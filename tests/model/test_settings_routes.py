"""Routes of hub.yaml that write: what they may say, and what an admin is told about what they must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.model.entities import ENTITIES, PARTY
from hub.model.settings import (
    BudgetSettings,
    BySettings,
    PolicySettings,
    RouteSettings,
    SettingsInvalid,
    load_settings,
)
from hub.model.settings_routes import CHANGES, DELETES, role_of
from hub.model.settings_routes_file import known_name, known_names

SYSTEMS = """\
company_timezone: Europe/Moscow
systems:
  ut: {kind: memory, timezone: Europe/Moscow, profile: onec_ut11}
  bp: {kind: memory, timezone: Europe/Moscow, profile: onec_bp3}
  crm: {kind: memory, timezone: Europe/Moscow, profile: onec_unf, role: crm}
routes:
"""
FULL = """\
  ut.party:
    write: [display_name, contact_point, "address[legal]", person_detail.last_name, record_state]
    create: after_match
    create_in: counterparty
    where: {kind: [organization, person], party_role: customer, is_legal_entity: yes}
    asks: [contact_point]
    policies:
      comment: latest
      legal_name: {policy: master, order: [bp, trade, origin], on_loss: task, group: none, clearable: true}
      party_identifier[inn]: {by: none}
      ext.discount: fill_empty
      trade_name: {order: crm, by: {field: status, values: [active, former], order: [ut]}}
    deletion: archive
    delete_budget: {absolute: none}
    change_budget: {absolute: 7, percent: none, minimum: 0}
    shadow: true
    skew: 2m
"""


def route(home: Path, text: str, code: str = "ut.party") -> RouteSettings:
    """The route as it is read from a file with these routes."""
    (home / "hub.yaml").write_text(SYSTEMS + text, encoding="utf-8")
    return load_settings(home).routes[code]


def refused(home: Path, text: str) -> list[tuple[int, str, str]]:
    """(line after ``routes:``, place in the route, code) of every problem that the routes are refused for."""
    with pytest.raises(SettingsInvalid) as caught:
        route(home, text)
    first = SYSTEMS.count("\n")
    return [(one.line - first, one.where.removeprefix("routes."), one.code) for one in caught.value.problems]


def test_every_key_of_a_route_is_read(tmp_path: Path) -> None:
    """A route that says everything: words become types, flags and spans numbers, a word is a list of one."""
    assert route(tmp_path, FULL) == RouteSettings(
        "ut.party",
        write=("display_name", "contact_point", "address[legal]", "person_detail.last_name", "record_state"),
        create="after_match",
        create_in="counterparty",
        where={"kind": ("organization", "person"), "party_role": ("customer",), "is_legal_entity": (1,)},
        asks=("contact_point",),
        policies={
            "comment": PolicySettings("latest"),
            "legal_name": PolicySettings("master", ("bp", "trade", "origin"), "task", True, ""),
            "party_identifier[inn]": PolicySettings(by=BySettings()),
            "ext.discount": PolicySettings("fill_empty"),
            "trade_name": PolicySettings(order=("crm",), by=BySettings("status", ("active", "former"), ("ut",))),
        },
        deletion="archive",
        delete_budget=BudgetSettings(None, 5, 100),
        change_budget=BudgetSettings(7, None, 0),
        shadow=True,
        skew=120,
    )


def test_a_route_remembers_its_lines(tmp_path: Path) -> None:
    """What is found wrong later (rules that cannot work) can be told with the line of its key."""
    lines = route(tmp_path, FULL).lines
    first = SYSTEMS.count("\n")
    assert {key: lines[key] - first for key in ("write", "create_in", "policies.comment", "policies.trade_name")} == {
        "write": 2,
        "create_in": 4,
        "policies.comment": 8,
        "policies.trade_name": 12,
    }


def test_a_route_writes_nothing_unless_it_says_so(tmp_path: Path) -> None:
    """Silence writes and makes nothing, and holds back catastrophes; so do a key without a value and ``none``."""
    for text in (
        "  ut.party: {}\n",
        "  ut.party: {write: }\n",
        "  ut.party: {write: none}\n",
        "  ut.party: {write: []}\n",
    ):
        made = route(tmp_path, text)
        assert made == RouteSettings("ut.party")
        assert (made.write, made.create, made.shadow) == ((), "never", False)
        assert (
            BudgetSettings(50, 5, 100),
            BudgetSettings(None, 20, 100),
        ) == (DELETES, CHANGES)
    assert route(tmp_path, "  ut.party: {write: all}\n").write == "all"


WRONG = [
    ('write: [display_nam, contact_point, "contact_point[fax]", "contact_point[pigeon]"]', ["write", "write"], "field"),
    ('write: [display_name, person_detail.nose, "person_detail[x]"]', ["write", "write"], "field"),
    ("write: {display_name: yes}", ["write"], "not_list"),
    ("write: all, create: sometimes", ["create"], "choice"),
    ("create: always", ["create"], "without"),
    ("write: [], create: always", ["create"], "without"),
    ("asks: [contact_point]", ["asks"], "without"),
    ("write: all, create_in: counterparty, where: {kind: person}", ["create_in", "where"], "without"),
    ("write: all, create: always, where: {kind: [dragon]}", ["where.kind"], "choice"),
    ("write: all, create: always, where: {is_legal_entity: maybe}", ["where.is_legal_entity"], "choice"),
    ("write: all, create: always, where: {display_name: x}", ["where.display_name"], "unknown"),
    ("write: all, create: always, where: {kind: }", ["where.kind"], "required"),
    ("policies: {comment: newest}", ["policies.comment"], "choice"),
    ("policies: {coment: latest, record_state: latest}", ["policies.coment", "policies.record_state"], "field"),
    ("policies: {comment: {order: [bp, onec, role]}}", ["policies.comment.order"] * 2, "order"),
    ("policies: {comment: {on_lose: task}}", ["policies.comment.on_lose"], "unknown"),
    ("policies: {comment: [latest]}", ["policies.comment"], "not_section"),
    ("policies: {comment: {group: A-b}}", ["policies.comment.group"], "form"),
    ("policies: {comment: {by: {field: owner, values: [x], order: [ut]}}}", ["policies.comment.by.field"], "choice"),
    ("policies: {comment: {by: {field: status, values: [x], order: ut}}}", ["policies.comment.by.values"], "choice"),
    ("policies: {comment: {by: {field: status, order: [ut]}}}", ["policies.comment.by.values"], "required"),
    ("policies: {comment: {by: status}}", ["policies.comment.by"], "not_section"),
    ("deletion: burn", ["deletion"], "choice"),
    ("delete_budget: 50", ["delete_budget"], "not_section"),
    (
        "delete_budget: {percent: 101}, change_budget: {minimum: none}",
        ["delete_budget.percent", "change_budget.minimum"],
        "number",
    ),
    ("skew: 2h", ["skew"], "form"),
    ("skew: 5", ["skew"], "form"),
]


@pytest.mark.parametrize(("keys", "places", "code"), WRONG, ids=[keys for keys, _, _ in WRONG])
def test_what_a_route_cannot_say_is_told(tmp_path: Path, keys: str, places: list[str], code: str) -> None:
    """Each wrong key is refused by itself, at its line and place, and a right one beside it is not blamed."""
    told = refused(tmp_path, f"  ut.party: {{{keys}}}\n")
    assert told == [(1, f"ut.party.{place}", f"settings_{code}") for place in places]


def test_a_misspelt_name_is_told_the_one_that_was_meant(tmp_path: Path) -> None:
    """Both languages name the likely word and the valid ones, in one line."""
    with pytest.raises(SettingsInvalid) as caught:
        route(tmp_path, "  ut.party:\n    write: all\n    policies: {legal_nam: latest, comment: {order: [trad]}}\n")
    one, other = caught.value.problems
    assert "Возможно, вы имели в виду «legal_name»." in one.text("ru")
    assert "Did you mean “legal_name”?" in one.text("en")
    assert "contact_point" in one.text("en")
    assert "Did you mean “trade”?" in other.text("en")


def test_names_of_an_entity_that_is_not_there_are_not_blamed(tmp_path: Path) -> None:
    """A route with a wrong entity has that one problem, whatever it says of fields; its budgets are looked at still."""
    told = refused(tmp_path, "  ut.pary: {write: [x], policies: {y: latest}, delete_budget: {percent: x}}\n")
    assert [code for _, _, code in told] == ["settings_route_entity", "settings_number"]


@pytest.mark.parametrize("name", ["trade", "origin", "other"])
def test_a_system_is_not_called_as_a_role_that_it_has_not(tmp_path: Path, name: str) -> None:
    """An order could mean either; a system that has the role may bear its name."""
    text = SYSTEMS.replace("  crm:", f"  {name}:")
    (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["settings_code_is_role"]
    (tmp_path / "hub.yaml").write_text(SYSTEMS, encoding="utf-8")
    assert load_settings(tmp_path).systems["crm"].role == "crm"


def test_roles_by_profile() -> None:
    """Бухгалтерия keeps the books, УТ and УНФ trade, whatever is not known sells."""
    assert [role_of(name) for name in ("onec_bp3", "onec_ut11", "onec_unf", "site_crm", "")] == [
        "accounting",
        "trade",
        "trade",
        "crm",
        "crm",
    ]


def test_the_names_that_are_offered_are_accepted() -> None:
    """Every name an advice could offer is one that a policy may stand under; the engine's own paths are not."""
    for entity in ENTITIES.values():
        assert [name for name in known_names(entity) if not known_name(entity, name)] == []
    assert known_name(PARTY, "address[фактический]")
    wrong = ["address[]", "kind[x]", "kind.x", "contact_point.system", "person_detail[x]", "address[a,b]", "x", ""]
    assert [name for name in wrong if known_name(PARTY, name)] == []

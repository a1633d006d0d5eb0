"""The rule book: what is made of the settings and the mappings, and what is refused before anything is opened."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from hub.engine.budget import Budget
from hub.engine.cells import STATE, Contribution, Value
from hub.engine.matrix import rules_for
from hub.engine.policies import ByValue, Policy
from hub.exchange.hub import Hub
from hub.exchange.rule_map import mapped_entities, rule_map
from hub.exchange.rules import Creation, RuleBook
from hub.exchange.rules_flaws import find_flaws
from hub.exchange.tellable import makes_records, readable, tellable
from hub.model.entities import ENTITIES, PARTY
from hub.model.settings import PolicySettings, RouteSettings, SettingsInvalid, load_settings
from mappings.compiled import CompiledMapping, compile_profile
from mappings.profile import profiles

SYSTEMS = """\
company_timezone: Europe/Moscow
systems:
  ut: {kind: memory, url: ut.json, timezone: Europe/Moscow, profile: onec_ut11}
  bp: {kind: memory, url: bp.json, timezone: Europe/Moscow, profile: onec_bp3}
  crm: {kind: memory, url: crm.json, timezone: Europe/Moscow, profile: onec_unf, role: crm}
routes:
"""
ROLES = {"trade": ("ut",), "accounting": ("bp",), "crm": ("crm",)}


shipped = cache(lambda profile: compile_profile(profile, "Europe/Moscow"))


def book(home: Path, routes: str = "", systems: str = SYSTEMS) -> RuleBook:
    """The rule book of a file with these routes; profiles without an overlay are compiled once for all tests."""
    text = systems + routes if routes else systems.removesuffix("routes:\n")
    (home / "hub.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(home)
    if systems is not SYSTEMS:
        return RuleBook.of(settings)
    return RuleBook(settings, {code: shipped(one.profile) for code, one in settings.systems.items()})


def told(home: Path, routes: str) -> list[tuple[int, str, str]]:
    """(line after ``routes:``, place in the routes, code without its beginning) of every flaw of these routes."""
    first = SYSTEMS.count("\n")
    return [
        (flaw.line - first, flaw.where.removeprefix("routes."), flaw.code.removeprefix("rules_"))
        for flaw in find_flaws(book(home, routes))
    ]


def mapping(profile: str, name: str) -> CompiledMapping:
    """One mapping of a shipped profile."""
    return shipped(profile).mappings[name]


# --- what is made ---------------------------------------------------------------------------------------------------


def test_without_a_word_the_matrix_holds_and_nothing_is_written(tmp_path: Path) -> None:
    """Roles come from profiles, rules from the default matrix; no route writes or makes anything, nothing is wrong."""
    made = book(tmp_path)
    assert [made.role(code) for code in ("ut", "bp", "crm")] == ["trade", "accounting", "crm"]
    for name, entity in ENTITIES.items():
        assert made.rules(name) == rules_for(entity, ROLES)
        assert made.way("ut", name).writes == made.way("nowhere", name).writes == frozenset()
        assert made.creation("ut", name) is None
    assert find_flaws(made) == []
    assert made.budgets("ut.party") == (Budget(50, 5, 100), Budget(None, 20, 100))
    assert made.skew("ut", "party") == 5


def test_what_a_route_states_is_laid_over_the_matrix(tmp_path: Path) -> None:
    """What is not said stays as in the matrix; roles and systems in orders become systems, each once."""
    made = book(
        tmp_path,
        """\
  ut.party:
    policies:
      comment: {order: [bp, trade, crm, ut]}
      legal_name: {policy: latest, group: none, clearable: true}
      party_identifier[okpo]: master
      person_detail.position: {group: none, on_loss: keep}
      display_name: {by: {field: status, values: [former], order: [accounting]}}
    deletion: archive
    delete_budget: {absolute: none, percent: 1}
    skew: 1m
  crm.sales_order: {policies: {sales_order_line: {by: none}, total: {by: none}, vat_total: {by: none},
    vat_included: {by: none}, currency: {by: none}}}
""",
    )
    rules = made.rules("party")
    assert rules.of("comment") == Policy("latest", ("bp", "ut", "crm"), clearable=True)
    assert rules.of("legal_name") == Policy("latest", ("bp", "ut", "crm"), on_loss="task", clearable=True)
    assert rules.of("party_identifier[okpo,1]") == Policy("master", ("ut", "bp", "crm"), clearable=True)
    assert rules.of("party_identifier[inn,1]").group == "legal"
    assert rules.of("person_detail.position") == Policy("master", ("crm", "ut", "bp"), "keep", True)
    assert rules.of("person_detail.gender").group == "person"
    assert rules.of("display_name").by == ByValue("status", frozenset({"former"}), ("bp",))
    assert rules.state == "archive"
    assert made.rules("sales_order").of("total") == Policy(
        "master", ("origin", "crm", "ut", "bp"), "task", group="composition"
    )
    assert made.rules("contract").state == "ask"
    assert made.budgets("ut.party")[0] == Budget(None, 1, 100)
    assert made.skew("ut", "party") == 60
    assert find_flaws(made) == []
    assert [made.stated_by("party", name) for name in ("comment", "trade_name")] == ["ut.party", ""]


def test_all_is_what_the_mappings_can_tell(tmp_path: Path) -> None:
    """``all`` is every field with a way back in some mapping of the route, rows of one-row tables by their columns."""
    made = book(tmp_path, "  ut.party: {write: all}\n  bp.contract: {write: all}\n")
    writes = made.way("ut", "party").writes
    assert {"legal_name", "contact_point", "address", "person_detail.last_name", STATE} <= writes
    assert {"person_detail", "is_legal_entity", "segment"}.isdisjoint(writes)
    assert writes == frozenset().union(
        *(tellable(one) for one in made.profiles["ut"].mappings.values() if one.entity is PARTY)
    )
    assert "credit_limit" not in made.way("bp", "contract").writes  # Бухгалтерия has none
    assert find_flaws(made) == []


def test_a_list_is_narrowed_to_what_can_be_told(tmp_path: Path) -> None:
    """A whole one-row table stands for its columns, a kind of a set for itself, and nothing else may be written."""
    made = book(
        tmp_path,
        '  bp.party: {write: [comment, person_detail, "address[legal]"], asks: [address]}\n'
        "  ut.party: {write: [person_detail.gender]}\n",
    )
    assert find_flaws(made) == []
    way = made.way("bp", "party")
    names = {"last_name", "first_name", "middle_name", "birth_date", "position"}  # no gender there
    assert way.writes == {"comment", "address[legal]", *(f"person_detail.{name}" for name in names)}
    assert made.way("ut", "party").writes == {"person_detail.gender"}
    one, other = Contribution(1, "bp"), Contribution(2, "bp", primary=False)
    paths = ["address[legal,Тверь]", "address[actual,Тверь]", "comment", "person_detail.last_name", STATE]
    assert [way.may(path, one) for path in paths] == [True, False, True, True, False]
    assert [way.may(path, other) for path in paths] == [True, False, False, False, False]


def test_records_are_made_by_one_mapping(tmp_path: Path) -> None:
    """The only one that can, or the one that is named; with the filter of what is made."""
    made = book(
        tmp_path,
        "  ut.contract: {write: all, create: always}\n"
        "  ut.party: {write: all, create: after_match, create_in: partner,\n"
        "    where: {kind: person, is_legal_entity: no}}\n"
        "  bp.party: {write: all}\n",
    )
    assert find_flaws(made) == []
    assert made.creation("ut", "contract") == Creation("always", "contract", {})
    filters: dict[str, tuple[str | int, ...]] = {"kind": ("person",), "is_legal_entity": (0,)}
    assert made.creation("ut", "party") == Creation("after_match", "partner", filters)
    assert made.creation("bp", "party") is None


def test_only_records_like_these_are_made() -> None:
    """A root field has one of the values and a set has a row of one of the kinds; a row that was taken out is none."""
    creation = Creation("always", "partner", {"kind": ("organization", "group"), "party_role": ("customer", "carrier")})
    card: dict[str, Value] = {"kind": "group", "party_role[carrier]": ("carrier",), "party_role[other]": ("other",)}
    assert creation.lets(card)
    assert not creation.lets({**card, "kind": "person"})
    assert not creation.lets({**card, "party_role[carrier]": None})
    assert not creation.lets({"kind": "group"})
    phone = Creation("always", "partner", {"contact_point": ("phone",), "is_legal_entity": (0,)})
    assert phone.lets({"contact_point[phone,79990000000,]": ("phone", "79990000000"), "is_legal_entity": 0})
    assert not phone.lets({"contact_point[email,a@b.ru,]": ("email", "a@b.ru"), "is_legal_entity": 0})
    assert not phone.lets({"contact_point[phone,79990000000,]": ("phone", "79990000000"), "is_legal_entity": None})
    assert Creation("always", "partner", {}).lets({})


def test_a_register_is_not_marked_for_deletion(tmp_path: Path) -> None:
    """What cannot be written to at all cannot be told its end either, whatever its mapping reads."""
    (tmp_path / "price.yaml").write_text("deleted: DeletionMark\n", encoding="utf-8")
    made = compile_profile("onec_ut11", "Europe/Moscow", tmp_path).mappings["price"]
    assert STATE in readable(made)
    assert tellable(made) == frozenset()


def test_which_mappings_make_records() -> None:
    """Documents are made as drafts and cards of a fixed kind have it by themselves; registers make nothing."""
    assert makes_records(mapping("onec_ut11", "sales_order"))
    assert makes_records(mapping("onec_ut11", "contact_person"))
    assert not makes_records(mapping("onec_ut11", "stock_balance"))
    assert not makes_records(mapping("onec_bp3", "vat_rate"))  # the file tells them itself


def test_a_mapping_that_lacks_a_mandatory_field_makes_no_records(tmp_path: Path) -> None:
    """A site takes the way back of a mandatory field away: it can still be written to, but nothing is made."""
    (tmp_path / "contract.yaml").write_text(
        "fields:\n  name: {concat: [Description, Номер], separator: ' '}\n", encoding="utf-8"
    )
    made = compile_profile("onec_ut11", "Europe/Moscow", tmp_path).mappings["contract"]
    assert "name" not in made.writable
    assert not makes_records(made)


@pytest.mark.parametrize("profile", profiles())
def test_names_of_ways_are_names_of_the_model(profile: str) -> None:
    """Whatever a shipped mapping can tell or fills is a field, a table or a column of its entity, or its end."""
    for one in shipped(profile).mappings.values():
        columns = {f"{child.name}.{item.name}" for child in one.entity.children for item in child.fields}
        known = {item.name for item in one.entity.fields} | {child.name for child in one.entity.children} | {STATE}
        assert tellable(one) <= known | columns
        assert readable(one) <= known


# --- what is refused ------------------------------------------------------------------------------------------------

FLAWS = {
    "what no mapping can tell": (
        "  ut.party: {write: [comment, segment, person_detail], asks: [comment, legal_name]}\n",
        [(1, "ut.party.write", "cannot_write"), (1, "ut.party.asks", "cannot_write")],
    ),
    "a base without orders": ("  bp.sales_order: {write: [comment]}\n", [(1, "bp.sales_order.write", "read_only")]),
    "what is only read": (
        "  ut.stock_balance: {write: all, create: always}\n",
        [(1, "ut.stock_balance.write", "read_only")],
    ),
    "no mapping of that name": (
        "  ut.party:\n    write: all\n    create: always\n    create_in: contragent\n",
        [(4, "ut.party.create_in", "create_in")],
    ),
    "a mapping of another entity": (
        "  ut.party: {write: all, create: always, create_in: product}\n",
        [(1, "ut.party.create_in", "create_in")],
    ),
    "several mappings could be meant": (
        "  ut.party:\n    write: all\n    create: always\n",
        [(3, "ut.party.create", "create_in_needed")],
    ),
    "two routes that would never rest": (
        (
            "  ut.party:\n    write: all\n    policies: {comment: master}\n"
            "  crm.party:\n    write: [comment]\n    policies: {comment: {order: [ut, crm]}}\n"
        ),
        [(6, "crm.party.policies.comment", "loop")],
    ),
    "two routes that disagree": (
        (
            "  ut.party:\n    write: [display_name]\n    policies: {comment: master}\n"
            "  crm.party:\n    write: [comment]\n    policies: {comment: fill_empty}\n"
        ),
        [(6, "crm.party.policies.comment", "twice")],
    ),
    "two ends": (
        "  ut.party: {deletion: ask}\n  bp.party: {deletion: ask}\n  crm.party: {deletion: ignore}\n",
        [(3, "crm.party.deletion", "twice")],
    ),
    "a decision that reaches nobody": (
        "  ut.party:\n    write: [comment]\n    policies:\n      legal_name: {policy: manual, group: none}\n",
        [(4, "ut.party.policies.legal_name", "unwritable")],
    ),
    "an order that hangs on an order": (
        (
            "  ut.party:\n    policies:\n"
            "      comment: {by: {field: status, values: [active], order: [ut]}}\n"
            "      status: {by: {field: kind, values: [person], order: [bp]}}\n"
        ),
        [(3, "ut.party.policies.comment", "depends")],
    ),
    "a group that is torn": (
        "  ut.party:\n    policies:\n      party_identifier[kpp]: {order: [crm]}\n",
        [(3, "ut.party.policies.party_identifier[kpp]", "group")],
    ),
}


@pytest.mark.parametrize("name", FLAWS)
def test_rules_that_cannot_work_are_found(tmp_path: Path, name: str) -> None:
    """Each is told at the line of the route that brings it in, and nothing beside it is blamed."""
    routes, flaws = FLAWS[name]
    assert told(tmp_path, routes) == flaws


def test_the_same_word_in_two_routes_is_no_quarrel(tmp_path: Path) -> None:
    """Roles and systems, named or left to come last, may say the same: only what they mean is compared."""
    assert (
        told(
            tmp_path,
            "  ut.party: {write: all, policies: {comment: {order: [trade, bp]}}}\n"
            "  crm.party: {write: all, policies: {comment: {order: [ut, accounting, crm]}}}\n"
            "  bp.party: {policies: {legal_name: {policy: master, order: [bp, ut], on_loss: task, group: legal}}}\n",
        )
        == []
    )


def test_a_decision_on_a_part_that_is_written_reaches_someone(tmp_path: Path) -> None:
    """``manual`` on a one-row table of which only columns can be written is no flaw."""
    routes = "  ut.party: {write: [person_detail], policies: {person_detail: manual}}\n"
    assert told(tmp_path, routes) == []


def test_an_order_that_names_a_stranger(tmp_path: Path) -> None:
    """Settings that were made without a file are held to the systems too; there is no line then."""
    settings = book(tmp_path).settings
    policies = {"comment": PolicySettings(order=("amo", "ut"))}
    settings.routes["ut.party"] = RouteSettings("ut.party", policies=policies)
    (flaw,) = find_flaws(RuleBook.of(settings))
    assert (flaw.code, flaw.line, flaw.params["names"]) == ("rules_unknown", 0, "amo")


def test_every_refusal_has_its_sentence_and_advice(tmp_path: Path) -> None:
    """Both languages; they name the other route, the fields, the valid words; no mark is left open."""
    for routes, _ in FLAWS.values():
        for flaw in find_flaws(book(tmp_path, routes)):
            for lang in ("ru", "en"):
                text = flaw.text(lang)
                assert "{" not in text
                assert text.count(".") > 1
    told_loop = find_flaws(book(tmp_path, FLAWS["two routes that would never rest"][0]))[0].text("ru")
    assert "ut.party" in told_loop
    assert "crm.party.policies.comment" in told_loop
    told_name = find_flaws(book(tmp_path, FLAWS["no mapping of that name"][0]))[0].text("en")
    assert "partner, contact_person, counterparty" in told_name
    assert "organization" in told_name


def test_a_makerless_route_is_told(tmp_path: Path) -> None:
    """A site's overlay took the way back of a mandatory field: ``create`` is refused, and why."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "contract.yaml").write_text(
        "fields:\n  name: {concat: [Description, Номер], separator: ' '}\n", encoding="utf-8"
    )
    systems = SYSTEMS.replace("profile: onec_ut11", "profile: onec_ut11, overlay: site")
    flaws = find_flaws(book(tmp_path, "  ut.contract: {write: [number], create: always}\n", systems))
    assert [flaw.code for flaw in flaws] == ["rules_makes_none"]


def test_an_installation_with_such_rules_is_not_opened(tmp_path: Path) -> None:
    """Opening refuses it with all flaws at once, before the store is made or a system asked; else the hub has them."""
    routes = FLAWS["what no mapping can tell"][0]
    book(tmp_path, routes)
    with pytest.raises(SettingsInvalid) as caught:
        Hub.open(tmp_path, lambda *_: pytest.fail("a system was asked"))
    assert [problem.code for problem in caught.value.problems] == ["rules_cannot_write"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["hub.yaml"]
    book(tmp_path, "  ut.party: {write: [comment]}\n")
    with Hub.open(tmp_path) as hub:
        assert hub.rules.way("ut", "party").writes == {"comment"}


# --- the map --------------------------------------------------------------------------------------------------------


def test_the_map_says_who_reads_writes_and_why(tmp_path: Path) -> None:
    """Field by field, with parts of sets beside them and the end of the record last; only what some system has."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "partner.yaml").write_text(
        "fields:\n  ext.discount: {from: Скидка, type: text}\n", encoding="utf-8"
    )
    systems = SYSTEMS.replace("profile: onec_ut11", "profile: onec_ut11, overlay: site")
    made = book(
        tmp_path,
        '  bp.party: {write: [comment, "address[legal]", person_detail.position, record_state], deletion: propagate}\n'
        "  ut.party: {policies: {comment: fill_empty, ext.discount: latest}}\n",
        systems,
    )
    found = {rule.name: rule for rule in rule_map(made, "party")}
    comment = found["comment"]
    assert (comment.policy, comment.label, comment.stated_by) == ("fill_empty", "Дополнительная информация", "ut.party")
    assert (comment.reads, comment.writes) == (("ut", "bp", "crm"), ("bp",))
    assert (found["trade_name"].stated_by, found["trade_name"].writes) == ("", ())
    assert found["address[legal]"].writes == found["address"].writes == ("bp",)
    assert found["address[legal]"].order == ("bp", "ut", "crm")
    assert found["person_detail"].writes == ("bp",)
    assert found["ext.discount"].reads == ("ut",)
    assert (found["ext.discount"].policy, found["ext.discount"].stated_by) == ("latest", "ut.party")
    assert (found[STATE].policy, found[STATE].stated_by, found[STATE].writes) == ("propagate", "bp.party", ("bp",))
    assert list(found)[-1] == STATE
    assert "segment" not in found
    assert "sales_order" in mapped_entities(made)
    assert STATE not in {rule.name for rule in rule_map(made, "stock_balance")}


def test_balances_and_prices_may_change_all_at_once(tmp_path: Path) -> None:
    """A new price list changes every price: the default brakes are for cards and documents; a route may set its own."""
    made = book(tmp_path, "  ut.stock_balance: {change_budget: {percent: 30}}\n")
    assert made.budgets("ut.price")[1].limit(1000) is None
    assert made.budgets("ut.party")[1].limit(1000) == 200
    assert made.budgets("ut.stock_balance")[1].limit(1000) == 300

"""The default matrix on real entities, and the shortcut of the bulk path held against the whole engine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.engine.arrive import Known, arrive
from hub.engine.cells import STATE, Contribution, Moment, Value, head, is_member, lay, lift, member
from hub.engine.decide import decide_child, decide_root
from hub.engine.incoming import incoming
from hub.engine.loops import flaws
from hub.engine.matrix import MATRIX, rules_for
from hub.engine.outgoing import Way
from hub.engine.policies import Policy, Rules
from hub.model.entities import ENTITIES, PARTY, SALES_ORDER, Child, Entity
from hub.model.fields import Field, Kind

ROLES = {"trade": ("ut", "ut2"), "accounting": ("bp",), "crm": ("crm",)}
SYSTEMS = ("ut", "ut2", "bp", "crm")


def words_of(entity: Entity) -> set[str]:
    """The names a policy of the entity may stand under."""
    return {item.name for item in entity.fields} | {child.name for child in entity.children}


def test_an_order_names_each_system_once() -> None:
    """A system that is named and has a role that is named too keeps its first place."""
    rules = rules_for(PARTY, ROLES, {"comment": Policy("latest", ("ut2", "trade", "crm", "accounting", "crm"))})
    assert rules.of("comment").order == ("ut2", "ut", "crm", "bp")


def test_the_matrix_names_what_there_is() -> None:
    """Every entity, field and child of the matrix exists, and the matrix by itself has no flaw."""
    for name, policies in MATRIX.items():
        assert {head(path) for path in policies} <= words_of(ENTITIES[name])
    for entity in ENTITIES.values():
        rules = rules_for(entity, ROLES)
        assert rules.policies.keys() >= words_of(entity)
        assert flaws(rules, [], SYSTEMS) == []


@pytest.mark.parametrize(
    ("entity", "path", "word", "order", "on_loss"),
    [
        ("party", "legal_name", "master", ("bp", "ut", "ut2", "crm"), "task"),
        ("party", "party_identifier[inn,7701,]", "master", ("bp", "ut", "ut2", "crm"), "task"),
        ("party", "party_identifier[code,00-01]", "union", ("ut", "ut2", "bp", "crm"), "restore"),
        ("party", "address[legal,Москва]", "master", ("bp", "ut", "ut2", "crm"), "task"),
        ("party", "address[post,Москва]", "union", ("ut", "ut2", "bp", "crm"), "restore"),
        ("party", "trade_name", "master", ("crm", "ut", "ut2", "bp"), "restore"),
        ("party", "display_name", "master", ("crm", "ut", "ut2", "bp"), "keep"),
        ("party", "contact_point[phone,7900,]", "union", ("ut", "ut2", "bp", "crm"), "restore"),
        ("party", "party_role[customer]", "union", ("ut", "ut2", "bp", "crm"), "restore"),
        ("party", "comment", "latest", ("crm", "ut", "ut2", "bp"), "restore"),
        ("party", "person_detail.last_name", "master", ("crm", "ut", "ut2", "bp"), "restore"),
        ("contract", "credit_limit", "master", ("ut", "ut2", "bp", "crm"), "restore"),
        ("sales_order", "business_status", "master", ("ut", "ut2", "bp", "crm"), "restore"),
        ("sales_order", "sales_order_line", "master", ("origin", "crm", "ut", "ut2", "bp"), "task"),
        ("price", "price", "master", ("ut", "ut2", "bp", "crm"), "restore"),
        ("stock_balance", "on_hand", "master", ("ut", "ut2", "bp", "crm"), "restore"),
    ],
)
def test_the_matrix_as_integrators_agree(
    entity: str, path: str, word: str, order: tuple[str, ...], on_loss: str
) -> None:
    """Who is master of what, row by row, with the systems of the installation in place of the roles."""
    policy = rules_for(ENTITIES[entity], ROLES).of(path)
    assert (policy.word, policy.order, policy.on_loss) == (word, order, on_loss)


def test_a_site_overrides_the_matrix() -> None:
    """By field, by part of a list, and the end of records; orders may name systems; a role may be nobody's."""
    mine = {"comment": Policy("manual", ("bp", "crm")), "contact_point[email]": Policy("append_only", ("crm",))}
    rules = rules_for(PARTY, {**ROLES, "accounting": ()}, mine, "archive")
    assert (rules.of("comment").word, rules.of("comment").order) == ("manual", ("bp", "crm"))
    assert rules.of("contact_point[email,a@b.ru,]").word == "append_only"
    assert rules.of("contact_point[phone,7,]").word == "union"
    assert rules.of("legal_name").order == ("ut", "ut2", "crm")
    assert (rules.state, rules_for(PARTY, ROLES).state, rules_for(SALES_ORDER, ROLES).state) == (
        "archive",
        "ask",
        "propagate",
    )
    assert rules.of("no_such_field").order == rules.state_order == ("ut", "ut2", "crm")


def test_only_what_the_model_allows_goes_empty() -> None:
    """A root field is clearable as the model says, a table that is told whole always."""
    rules = rules_for(PARTY, ROLES)
    assert [rules.of(path).clearable for path in ("comment", "legal_name", "contact_point[x]", "address[legal,x]")] == [
        True,
        False,
        True,
        True,
    ]


def test_an_order_is_handed_over_when_it_is_confirmed() -> None:
    """The CRM's order is the CRM's until 1C confirms it; what the CRM types after that is a task for a person."""
    rules = rules_for(SALES_ORDER, ROLES)
    lines: Value = (("болт", 5),)
    crm = incoming(Contribution(2, "crm", origin=True), {"total": 500, "sales_order_line": lines}, Moment(0, 10))
    base = incoming(
        Contribution(1, "ut"), {"total": 400, "sales_order_line": None, "business_status": "draft"}, Moment(0, 10)
    )
    known = Known((crm.contribution, base.contribution))
    drafted = arrive(known, base, rules, Way(frozenset()))
    assert (drafted.golden["total"].value, drafted.golden["total"].system) == (500, "crm")
    confirmed = incoming(base.contribution, {"business_status": "confirmed"}, Moment(20, 30))
    after = arrive(drafted.known, confirmed, rules, Way(frozenset()))
    assert (after.golden["total"].value, after.golden["total"].system) == (400, "ut")
    assert after.golden["sales_order_line"].value is None, "a composition is never mixed of two"
    late = incoming(crm.contribution, {"total": 600}, Moment(40, 50))
    loss = arrive(after.known, late, rules, Way(frozenset())).losses[0]
    assert (loss.edit.after, loss.winner.value, loss.on_loss) == (600, 400, "task")


SOME = {
    Kind.TEXT: st.sampled_from([None, "а", "б,в", "\\", "0"]),
    Kind.ENUM: st.sampled_from([None, "draft", "confirmed"]),
    Kind.JSON: st.sampled_from([None, '{"а":1}', '{"а":2}']),
    Kind.DATE: st.sampled_from([None, "2026-01-01", "2026-02-01"]),
}


def value_of(item: Field) -> st.SearchStrategy[Value]:
    """Travelling values of a field; NULL is the only empty one."""
    return SOME.get(item.kind, st.sampled_from([None, 0, 1, 250]))


def columns_of(child: Child) -> tuple[str, ...]:
    """The columns that a mapping fills."""
    return tuple(item.column for item in child.fields)


def rows_of(child: Child) -> st.SearchStrategy[list[tuple[Value, ...]]]:
    """Rows of a child as a mapping emits them: numbered lines, or rows distinct by their key."""
    row = st.tuples(*(value_of(item) for item in child.fields))
    if child.lines:
        return st.lists(row, max_size=3).map(lambda rows: [(number, *line) for number, line in enumerate(rows, 1)])
    if not child.key:
        return st.lists(row, max_size=1)
    columns = columns_of(child)
    at = [columns.index(child_field.column) for child_field in child.fields if child_field.name in child.key]
    return st.lists(row, max_size=3, unique_by=lambda line: tuple(line[i] for i in at))


Told = tuple[tuple[Value, ...], tuple[list[tuple[Value, ...]], ...], str]


def told_by(entity: Entity) -> st.SearchStrategy[Told]:
    """One statement of a system: root row, children, and whether it is marked."""
    root = st.tuples(*(value_of(item) for item in entity.fields))
    children = st.tuples(*(rows_of(child) for child in entity.children))
    return st.tuples(root, children, st.sampled_from(["active", "active", "marked"]))


def cells_of(entity: Entity, told: Told) -> dict[str, Value]:
    """The statement in cells."""
    parts = [(child, columns_of(child), rows) for child, rows in zip(entity.children, told[1], strict=True)]
    return lay(entity.fields, told[0], parts) | {STATE: told[2]}


def as_set(child: Child, rows: list[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    """Rows to compare: lines in their order, sets in any, a row of nothing is no row."""
    if child.lines:
        return rows
    return sorted((row for row in rows if child.key or any(part is not None for part in row)), key=repr)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([PARTY, SALES_ORDER]))
def test_the_shortcut_gives_what_the_engine_gives_for_one_contributor(data: st.DataObject, entity: Entity) -> None:
    """Statement after statement of a single system: golden rows, changes and kept fields are the same both ways."""
    rules = rules_for(entity, ROLES)
    lists = [child.name for child in entity.children]
    first = data.draw(told_by(entity))
    root: tuple[object, ...] = first[0]
    children, state = first[1:]
    came = incoming(Contribution(1, "ut"), cells_of(entity, first), Moment(0, 10), lists=lists)
    known = arrive(Known(), came, rules, Way(frozenset())).known
    for night in range(1, 4):
        told = data.draw(told_by(entity))
        came = incoming(
            known.contributions[0], cells_of(entity, told), Moment(10 * night, 10 * night + 10), lists=lists
        )
        arrival = arrive(known, came, rules, Way(frozenset()))
        known, golden = arrival.known, {path: cell.value for path, cell in arrival.golden.items()}
        decision = decide_root(entity.fields, root, told[0])
        fields = [item.name for item in entity.fields]
        assert tuple(golden.get(name) for name in fields) == decision.root
        assert {name for name in fields if name in golden and arrival.golden[name].guards} == set(decision.kept)
        roots = [change for change in arrival.changes if change.path in fields]
        assert roots == sorted(decision.changes, key=lambda change: change.path)
        assert ([change.after for change in arrival.changes if change.path == STATE] or [state])[0] == told[2]
        for child, before, now in zip(entity.children, children, told[1], strict=True):
            columns = columns_of(child)
            assert as_set(child, lift(child, columns, golden)) == as_set(child, now)
            paths = {
                change.path.rpartition("].")[0] + "]" if "]." in change.path else change.path
                for change in decide_child(child, columns, before, now)
            }
            moved = {change.path for change in arrival.changes if head(change.path) == child.name}
            if child.key:
                assert moved == paths
            elif child.lines:
                assert bool(moved) == bool(paths)
        root, children, state = decision.root, told[1], told[2]
        assert not arrival.losses or {loss.edit.path for loss in arrival.losses} <= set(decision.kept)


def test_keys_never_give_one_path() -> None:
    """Commas, backslashes, nothing and no text in a key keep two rows apart."""
    child = PARTY.child("address")
    keys = [("а,б", "в"), ("а", "б,в"), (None, "а"), ("", "а"), ("\\", "а"), ("\\,", "а"), ("\\\\", "а")]
    assert len({member(child, key) for key in keys}) == len(keys)
    assert member(child, ("legal", "Москва")) == "address[legal,Москва]"
    assert member(child, ()) == "address"


def test_cells_and_rows_are_one_record() -> None:
    """Root fields, a set, a one-row child and lines become cells, and rows again."""
    point, detail = PARTY.child("contact_point"), PARTY.child("person_detail")
    row = ("phone", "work", "+7 900", "7900", None, 1)
    single = ("Иванов", "", None, None, None, None)
    cells = lay(
        PARTY.fields[:2],
        ("person", ""),
        [(point, columns_of(point), [row]), (detail, columns_of(detail), [single])],
    )
    assert cells["kind"] == "person"
    assert cells["display_name"] is None
    assert cells["contact_point[phone,7900,]"] == row
    assert cells["person_detail.last_name"] == "Иванов"
    assert lift(point, columns_of(point), cells) == [row]
    assert lift(detail, columns_of(detail), cells) == [("Иванов", None, None, None, None, None)]
    assert lift(detail, columns_of(detail), lay((), (), [(detail, columns_of(detail), [])])) == []
    assert lift(point, columns_of(point), {"contact_point[phone,7900,]": None, "contact": row}) == []
    lines = SALES_ORDER.children[0]
    told: list[tuple[Value, ...]] = [(1, 5, None), (2, 6, None)]
    laid = lay((), (), [(lines, (), told)])
    assert laid == {"sales_order_line": tuple(told)}
    assert lift(lines, (), laid) == told
    assert lift(lines, (), lay((), (), [(lines, (), [])])) == []


def test_names_of_paths() -> None:
    """The table a path lies in; which paths are rows of a set; the most particular policy."""
    assert [head(path) for path in ("name", "a.b", "a[b,c.d]", "a[b.c]")] == ["name", "a", "a", "a"]
    assert [is_member(path) for path in ("a.b", "a[b]")] == [False, True]
    rules = Rules({"a[b,c]": Policy("manual"), "a[b]": Policy("union"), "a": Policy("latest")})
    assert [rules.of(path).word for path in ("a[b,c]", "a[b,d]", "a[b]", "a[d]", "a.b", "x")] == [
        "manual",
        "union",
        "union",
        "latest",
        "latest",
        "master",
    ]


def test_an_event_is_left_as_each_system_has_it() -> None:
    """A letter that its last folder dropped stays; copies that differ are not evened out; participants are united."""
    rules = rules_for(ENTITIES["activity"], ROLES)
    assert (rules.state, rules.of("direction").on_loss, rules.of("activity_participant[x]").word) == (
        "keep",
        "keep",
        "union",
    )
    there = incoming(Contribution(1, "post"), {"subject": "Цены"}, Moment(0, 10)).contribution
    gone = incoming(there, {STATE: "deleted"}, Moment(10, 20))
    arrival = arrive(Known((there,)), gone, rules, Way(frozenset()))
    assert (arrival.golden[STATE].value, arrival.golden["subject"].value, arrival.changes) == ("active", "Цены", ())

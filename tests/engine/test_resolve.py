"""Golden cells: each policy by itself, groups, the end of a record, pins and holds."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hub.engine.cells import HUB, STATE, Contribution, Golden, Hold, Moment, Own, Pin, Value
from hub.engine.policies import ORIGIN, ByValue, Policy, Rules
from hub.engine.resolve import resolve

ORDER = ("a", "b", "c")


def at(first: int, last: int | None = None) -> Moment:
    """Between two seconds, or at one."""
    return Moment(first, first + 1 if last is None else last)


def says(value: Value, when: Moment, cleared: Moment | None = None, since: Moment | None = None) -> Own:
    """A word of a system."""
    return Own(value, when, since or when, cleared)


def one(link_id: int, system: str, *, primary: bool = True, origin: bool = False, **own: Own) -> Contribution:
    """A contribution that shows what it says; paths that are no identifiers are set by ``with_``."""
    shown: dict[str, Value] = {path: None if cell.cleared else cell.value for path, cell in own.items()}
    return Contribution(link_id, system, own, shown, {}, primary, origin)


def decide(policy: Policy, *contributions: Contribution, path: str = "x") -> Golden:
    """The golden cell ``x`` (or ``path``) of those contributions."""
    return resolve(contributions, Rules({path.partition("[")[0]: policy}))[path]


def test_the_first_master_who_speaks_wins_and_the_rest_are_named() -> None:
    """Order decides, not time; a system that is not in the order fills what nobody else says."""
    a, b = one(1, "a", x=says("А", at(5))), one(2, "b", x=says("Б", at(9)))
    stranger = one(3, "z", x=says("Я", at(99)))
    cell = decide(Policy("master", ORDER), stranger, b, a)
    assert (cell.value, cell.rule, cell.system, cell.link_id, cell.when) == ("А", "master", "a", 1, at(5))
    assert [(lost.system, lost.link_id, lost.value, lost.when) for lost in cell.lost] == [
        ("b", 2, "Б", at(9)),
        ("z", 3, "Я", at(99)),
    ]
    assert decide(Policy("master", ORDER), stranger).value == "Я"


def test_of_several_links_of_one_system_the_primary_speaks() -> None:
    """Two cards of one base on one record: ties go to the primary link, whatever their numbers."""
    spare = one(1, "a", primary=False, x=says("запасной", at(9)))
    main = one(2, "a", x=says("главный", at(5)))
    assert decide(Policy("master", ORDER), spare, main).value == "главный"


def test_the_system_of_origin_may_stand_in_an_order() -> None:
    """``origin`` is the system in which the record was made."""
    a, b = one(1, "a", x=says("А", at(5))), one(2, "b", origin=True, x=says("Б", at(5)))
    assert decide(Policy("master", (ORIGIN, *ORDER)), a, b).value == "Б"
    assert decide(Policy("master", ORDER), a, b).value == "А"


def test_an_order_may_hang_on_the_value_of_another_field() -> None:
    """An order belongs to the CRM until it is confirmed, then to 1C."""
    policy = Policy("master", ("crm", "base"), by=ByValue("status", frozenset({"confirmed"}), ("base", "crm")))
    rules = Rules({"total": policy, "amount": policy, "status": Policy("master", ("base", "crm"))})
    crm = one(2, "crm", total=says(7, at(1)), amount=says(7, at(1)))
    for status, value in (("draft", 7), ("confirmed", 5)):
        base = one(1, "base", total=says(5, at(1)), amount=says(5, at(1)), status=says(status, at(1)))
        golden = resolve([base, crm], rules)
        assert (golden["amount"].value, golden["total"].value) == (value, value), "whichever is decided first"
    assert resolve([crm], rules)["total"].value == 7, "no status at all"


def test_latest_decides_only_between_disjoint_intervals() -> None:
    """A later word wins when it is certainly later; else the order of systems does."""
    policy = Policy("latest", ORDER)
    a = one(1, "a", x=says("А", at(1, 5)))
    assert decide(policy, a, one(2, "b", x=says("Б", at(5, 9)))).value == "Б"
    assert decide(policy, a, one(2, "b", x=says("Б", at(4, 9)))).value == "А"
    assert decide(policy, one(3, "c", x=says("В", at(6, 9))), a, one(2, "b", x=says("Б", at(4, 7)))).value == "Б"


def test_a_clearing_is_followed_only_where_the_field_allows() -> None:
    """The value stays beside the mark; whoever cleared is not sent it back, and the next master does not speak."""
    a = one(1, "a", x=says("А", at(1), cleared=at(9)))
    b = one(2, "b", x=says("Б", at(1)))
    kept = decide(Policy("master", ORDER), a, b)
    assert (kept.value, kept.rule, kept.guards, kept.cleared) == ("А", "kept", frozenset({1}), False)
    assert [(lost.link_id, lost.value) for lost in kept.lost] == [(1, None), (2, "Б")]
    gone = decide(Policy("master", ORDER, clearable=True), a, b)
    assert (gone.value, gone.rule, gone.guards, gone.cleared) == (None, "master", frozenset(), True)


def test_a_clearing_of_what_we_wrote_leaves_the_floor_to_others() -> None:
    """A system that never filled the field and cleared our value has no value to keep: the next one's stays."""
    a = one(1, "a", x=says(None, at(9), cleared=at(9)))
    kept = decide(Policy("master", ORDER), a, one(2, "b", x=says("Б", at(1))))
    assert (kept.value, kept.rule, kept.guards) == ("Б", "kept", frozenset({1}))
    nobody = decide(Policy("master", ORDER), a)
    assert (nobody.value, nobody.rule, nobody.cleared, nobody.guards) == (None, "nobody", False, frozenset({1}))


def test_latest_goes_back_to_what_was_before_an_unheeded_clearing() -> None:
    """The newest word is a clearing that is not followed: the newest value stays, not the clearer's old one."""
    a = one(1, "a", x=says("А", at(1), cleared=at(9)))
    kept = decide(Policy("latest", ORDER), a, one(2, "b", x=says("Б", at(5))))
    assert (kept.value, kept.rule, kept.guards) == ("Б", "kept", frozenset({1}))


def test_who_filled_first_keeps_the_field() -> None:
    """``fill_empty``: later systems only fill what is empty, and the first may correct itself."""
    a = one(1, "a", x=says("А", at(9)))
    b = one(2, "b", x=says("Б2", at(20), since=at(5)))
    assert decide(Policy("fill_empty", ORDER), a, b).value == "Б2"
    gone = one(2, "b", x=says("Б", at(5), cleared=at(30)))
    assert decide(Policy("fill_empty", ORDER), a, gone).value == "Б", "clearing is not allowed here"
    assert decide(Policy("fill_empty", ORDER, clearable=True), a, gone).value == "А", "room for the next"
    assert decide(Policy("fill_empty", ORDER, clearable=True), gone).cleared


def test_what_was_added_stays() -> None:
    """``append_only`` heeds no clearing, even where the field may go empty."""
    gone = one(1, "a", x=says("А", at(5), cleared=at(30)))
    cell = decide(Policy("append_only", ORDER, clearable=True), gone)
    assert (cell.value, cell.rule) == ("А", "kept")


def test_a_row_ends_by_a_later_word_and_returns_by_a_still_later_one() -> None:
    """``union``: "not there" ends what was said before it, wherever; doubt keeps the row but not for who dropped it."""
    policy, path = Policy("union", ORDER, clearable=True), "x[1,]"

    def row(link_id: int, system: str, own: Own) -> Contribution:
        return Contribution(link_id, system, {path: own})

    said, dropped = row(1, "a", says(("1",), at(1, 5))), row(2, "b", says(None, at(7, 9), cleared=at(7, 9)))
    cell = decide(policy, said, dropped, path=path)
    assert (cell.value, cell.cleared, cell.rule, cell.system) == (None, True, "union", "b")
    doubt = decide(policy, row(1, "a", says(("1",), at(1, 8))), dropped, path=path)
    assert (doubt.value, doubt.guards, doubt.rule) == (("1",), frozenset({2}), "union")
    back = decide(policy, row(3, "c", says(("1", "c"), at(9, 10))), said, dropped, path=path)
    assert (back.value, back.guards, back.system) == (("1", "c"), frozenset(), "c")
    twice = decide(policy, said, dropped, row(3, "c", says(("1",), at(1), cleared=at(20))), path=path)
    assert (twice.system, twice.when) == ("c", at(20))


def test_cells_that_survive_together_come_from_one_card() -> None:
    """The name parts of the winner, not a mixture; a card that contradicts it nowhere may complete it."""
    policy = Policy("master", ORDER, group="person")
    rules = Rules({"person": policy, **dict.fromkeys(("last", "first", "middle"), policy)})
    a = one(1, "a", last=says("Иванов", at(1)), first=says("Иван", at(1)))
    other = one(2, "b", last=says("Петров", at(9)), first=says("Пётр", at(9)), middle=says("Сергеевич", at(9)))
    golden = resolve([a, other], rules)
    assert [golden[path].value for path in ("last", "first", "middle")] == ["Иванов", "Иван", None]
    assert [lost.value for lost in golden["middle"].lost] == ["Сергеевич"]
    same = one(3, "c", last=says("Иванов", at(9)), middle=says("Петрович", at(9)))
    golden = resolve([a, other, same], rules)
    assert (golden["middle"].value, golden["middle"].system) == ("Петрович", "c")


def test_cells_of_a_one_row_table_are_decided_apart() -> None:
    """Without a group each cell has its own winner, and a row of a set under ``union`` too."""
    rules = Rules({"detail": Policy("master", ORDER), "x": Policy("union", ORDER)})
    a = Contribution(1, "a", {"detail.last": says("Иванов", at(1)), "x[1]": says(("1",), at(1))})
    b = Contribution(2, "b", {"detail.last": says("Петров", at(1)), "detail.first": says("Пётр", at(1))})
    golden = resolve([a, b, Contribution(3, "c", {"x[2]": says(("2",), at(1))})], rules)
    assert [golden[path].value for path in ("detail.last", "detail.first", "x[1]", "x[2]")] == [
        "Иванов",
        "Пётр",
        ("1",),
        ("2",),
    ]
    other = Contribution(2, "b", {"detail.last": says("Петров", at(1)), "detail.first": says("Пётр", at(9))})
    apart = resolve([a, other], Rules({"detail": Policy("latest", ORDER)}))
    assert (apart["detail.last"].value, apart["detail.first"].value) == ("Иванов", "Пётр")


def test_the_winner_of_a_group_speaks_first_whatever_its_rank() -> None:
    """The newest card wins a ``latest`` group as a whole, its unfollowed clearing included."""
    policy = Policy("latest", ORDER, group="person")
    rules = Rules(dict.fromkeys(("last", "first"), policy))
    a = one(1, "a", last=says("Иванов", at(1)), first=says("Иван", at(2)))
    b = one(2, "b", last=says("Иванова", at(9)), first=says("Анна", at(1), cleared=at(9)))
    golden = resolve([a, b], rules)
    assert (golden["last"].value, golden["first"].value, golden["first"].guards) == ("Иванова", "Анна", frozenset({2}))
    older = one(2, "b", last=says("Иванова", at(1)), first=says("Анна", at(1)))
    golden = resolve([a, older], rules)
    assert (golden["last"].value, golden["first"].value) == ("Иванов", "Иван"), "as old as its newest word"


def test_a_group_goes_to_who_filled_it_first() -> None:
    """A card speaks since its first word: correcting one cell does not make it newer."""
    policy = Policy("fill_empty", ORDER, group="person")
    rules = Rules(dict.fromkeys(("last", "first"), policy))
    a = one(1, "a", last=says("Иванов", at(5)), first=says("Иван", at(5)))
    b = one(2, "b", last=says("Петров", at(1)), first=says("Пётр", at(9)))
    assert resolve([a, b], rules)["first"].value == "Пётр"


def test_a_list_that_has_a_master_is_taken_whole() -> None:
    """Rows that the winner does not have are not there, and a group's rows tell whether two cards contradict."""
    policy = Policy("master", ORDER, clearable=True, group="legal")
    rules = Rules({"id[inn]": policy, "name": policy, "id": Policy("master", ORDER, clearable=True)})

    def card(link_id: int, system: str, rows: tuple[str, ...], name: str | None) -> Contribution:
        own = {f"id[{row}]": says((row,), at(link_id)) for row in rows}
        return Contribution(link_id, system, own | ({"name": says(name, at(link_id))} if name else {}))

    a, b = card(1, "a", ("inn,1",), None), card(2, "b", ("inn,2",), "Чужое имя")
    golden = resolve([a, b], rules)
    assert (golden["id[inn,1]"].value, golden["id[inn,2]"].value, golden["id[inn,2]"].cleared) == (
        ("inn,1",),
        None,
        True,
    )
    assert golden["name"].value is None, "the card contradicts the winner"
    fits = card(2, "b", ("inn,1",), "Своё имя")
    assert resolve([a, fits], rules)["name"].value == "Своё имя"
    wider = card(2, "b", ("inn,1", "inn,2"), "Своё имя")
    assert resolve([a, wider], rules)["name"].value == "Своё имя"
    lists = resolve([card(1, "a", ("okpo,1",), None), card(2, "b", ("okpo,1", "okpo,2"), None)], rules)
    assert (lists["id[okpo,2]"].value, lists["id[okpo,2]"].cleared, lists["id[okpo,2]"].system) == (None, True, "a")


def test_pins_outrank_holds_and_holds_outrank_policies() -> None:
    """What a person set or is asked stands against every system, and the systems' words are lost, not gone."""
    a = one(1, "a", x=says("А", at(1)))
    rules = Rules({"x": Policy("master", ORDER)})
    hold = Hold("старое", frozenset({1}))
    held = resolve([a], rules, holds={"x": hold})["x"]
    assert (held.value, held.rule, held.guards, held.cleared) == ("старое", "held", frozenset({1}), False)
    pinned = resolve([a], rules, {"x": Pin("моё"), "y": Pin(None)}, {"x": hold})
    assert (pinned["x"].value, pinned["x"].rule, pinned["x"].guards) == ("моё", "pin", frozenset())
    assert [lost.value for lost in pinned["x"].lost] == ["А"]
    assert (pinned["y"].value, pinned["y"].cleared) == (None, True)
    group = Rules({"y": Policy("master", group="g"), "z": Policy("union")})
    alone = resolve([], group, holds={"y": Hold("в"), "z": Hold("г")})
    assert (alone["y"].value, alone["z"].value) == ("в", "г")


def test_references_that_name_one_record_are_one_value() -> None:
    """Two systems name the same client by their own links: nothing is lost, and groups do not fall apart over it."""
    a, b = one(1, "a", owner=says(5, at(1))), one(2, "b", owner=says(9, at(1)))
    rules = Rules({"owner": Policy("master", ORDER)})
    assert resolve([a, b], rules)["owner"].lost != ()
    assert resolve([a, b], rules, same=lambda path, one, two: {one, two} <= {5, 9})["owner"].lost == ()


def states(*words: tuple[str, Own | None]) -> list[Contribution]:
    """Contributions of systems a, b, … that say that of the record's end."""
    return [Contribution(number, system, {STATE: own} if own else {}) for number, (system, own) in enumerate(words, 1)]


def test_a_mark_counts_once_its_record_is_known() -> None:
    """A mark made later ends the record; one that was there at first contact does not, while another card lives."""
    rules = Rules({})
    marked = says("marked", at(5, 9))
    golden = resolve(states(("a", marked), ("b", None)), rules)[STATE]
    assert (golden.value, golden.rule, golden.system) == ("marked", "propagate", "a")
    old = resolve(states(("a", says("marked", at(0, 9))), ("b", None)), rules)[STATE]
    assert (old.value, [lost.value for lost in old.lost]) == ("active", ["marked"])
    both = resolve(states(("a", says("absent", at(0, 9))), ("b", marked)), rules)[STATE]
    assert both.value == "absent", "no card lives: the first in the order says how it ended"
    assert resolve([], rules)[STATE].value == "active"


def test_a_later_word_that_it_lives_outlives_a_mark() -> None:
    """A person's "it stays" ends the mark; a later mark ends it again."""
    rules = Rules({})
    stays = Contribution(0, HUB, {STATE: says("active", at(20))})
    golden = resolve([*states(("a", says("marked", at(5, 9))), ("b", None)), stays], rules)[STATE]
    assert (golden.value, golden.system, golden.when) == ("active", HUB, at(20))
    again = resolve([*states(("a", says("marked", at(30))), ("b", None)), stays], rules)[STATE]
    assert (again.value, [lost.system for lost in again.lost]) == ("marked", [HUB])
    alone = resolve([*states(("a", says("marked", at(5, 9)))), stays], rules)[STATE]
    assert alone.value == "active"


def test_what_the_end_of_a_record_does_goes_by_policy() -> None:
    """``archive`` and ``ignore`` hold while another card lives; when none does, the record has ended."""
    marked = says("marked", at(5, 9))
    for word, value in (("propagate", "marked"), ("ask", "marked"), ("archive", "archived"), ("ignore", "active")):
        rules = Rules({}, state=word)  # type: ignore[arg-type]
        assert resolve(states(("a", marked), ("b", None)), rules)[STATE].value == value
        assert resolve(states(("a", marked)), rules)[STATE].value == "marked"


def test_an_ended_card_votes_only_where_no_living_one_does() -> None:
    """The marked master keeps the fields that only it speaks of, and loses the others."""
    rules = Rules({"x": Policy("master", ORDER), "y": Policy("master", ORDER)})
    a = one(1, "a", x=says("А", at(1)), y=says("только А", at(1)))
    ended = Contribution(1, "a", {**a.own, STATE: says("marked", at(5))}, a.shown)
    golden = resolve([ended, one(2, "b", x=says("Б", at(1)))], rules)
    assert (golden["x"].value, golden["y"].value) == ("Б", "только А")
    assert [lost.value for lost in golden["x"].lost] == ["А"]


moments = st.tuples(st.integers(0, 6), st.integers(1, 4)).map(lambda pair: Moment(pair[0], pair[0] + pair[1]))
owns = st.builds(Own, st.sampled_from(["к", "л", None]), moments, moments, st.one_of(st.none(), moments)).filter(
    lambda own: own.value is not None or own.cleared is not None
)
whole = st.lists(st.tuples(st.sampled_from("abcd"), st.dictionaries(st.sampled_from(["x", "y", "z[1]", "z[2]"]), owns)))
rules_ = st.builds(
    lambda words, clearable, group: Rules(
        {
            "x": Policy(words[0], ORDER, clearable=clearable, group=group),
            "y": Policy(words[0], ORDER, clearable=clearable, group=group),
            "z": Policy(words[1], ORDER, clearable=clearable),
        }
    ),
    st.tuples(
        st.sampled_from(["master", "latest", "fill_empty", "append_only", "manual"]),
        st.sampled_from(["union", "master", "latest", "append_only"]),
    ),
    st.booleans(),
    st.sampled_from(["", "g"]),
)


@given(whole, rules_, st.randoms(use_true_random=False))
def test_the_order_of_contributions_is_nothing(
    said: list[tuple[str, dict[str, Own]]], rules: Rules, random: Random
) -> None:
    """Whatever order the contributions come in, and however often they are resolved, the golden cells are the same."""
    contributions = [Contribution(number, system, own) for number, (system, own) in enumerate(said, 1)]
    golden = resolve(contributions, rules)
    assert list(golden) == [*sorted(golden.keys() - {STATE}), STATE]
    random.shuffle(contributions)
    assert resolve(contributions, rules) == golden
    for path, cell in golden.items():
        for loss in cell.lost:
            assert loss.value != cell.value, path
        if cell.system:
            assert any(one.system == cell.system and path in one.own for one in contributions) or "[" in path


@given(whole, rules_)
def test_nobody_is_invented(said: list[tuple[str, dict[str, Own]]], rules: Rules) -> None:
    """Every golden value was said by the system it names; a cell that someone filled goes empty only by a clearing."""
    contributions = [Contribution(number, system, own) for number, (system, own) in enumerate(said, 1)]
    for path, cell in resolve(contributions, rules).items():
        if path == STATE:
            continue
        words = [one.own[path] for one in contributions if path in one.own]
        if cell.value is not None:
            assert cell.value in {own.value for own in words}
            continue
        grouped = rules.unit(path) != path
        assert cell.cleared or grouped or all(own.value is None for own in words)

"""Mapping files: what is wrong with them is told all at once, by file and line, with a guess at what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.onec_odata.virtual import VIRTUAL
from hub.model.errors import NeedsPerson
from hub.texts import catalogue
from mappings.compiled import compile_profile
from mappings.parse import TABLES
from mappings.problems import MappingInvalid, Problem
from mappings.profile import read_folder
from tests.mappings.build import compiled, folder, read

HEAD = "stream: Catalog_X\nentity: party\nkey: Ref_Key\n"
FIELDS = "fields:\n  kind: {const: person}\n  display_name: Description\n"


def told(problems: list[Problem] | tuple[Problem, ...]) -> list[tuple[str, int]]:
    """Codes by line."""
    return [(problem.code, problem.place.line) for problem in problems]


def codes(text: str) -> list[str]:
    """Codes of what is wrong with a file."""
    return [problem.code for problem in read(text)[1]]


def test_a_right_file_has_no_problems() -> None:
    """The beginning the other tests build on is itself right."""
    assert codes(HEAD + FIELDS) == []


def test_all_problems_of_a_file_at_once_with_their_lines() -> None:
    """Eight mistakes in one file are eight problems, each on its own line."""
    text = (
        HEAD
        + "verison: DataVersion\n"
        + "skip:\n  - {reason: foldr, when: IsFolder}\n"
        + "fields:\n"
        + "  kind: {from: Вид, map: {ФизЛицо: persn}}\n"
        + "  display_nam: Description\n"
        + "  registered_on: {from: Дата, transform: money}\n"
        + "  comment: {from: Текст, transform: txt}\n"
        + "  owner: Менеджер_Key\n"
        + "  status: {from: A, const: active}\n"
        + "children:\n  party_rol: []\n"
    )
    assert sorted(told(read(text)[1]), key=lambda item: item[1]) == [
        ("mapping_unknown_key", 4),
        ("mapping_unknown_word", 6),
        ("mapping_required_missing", 7),
        ("mapping_bad_choice", 8),
        ("mapping_unknown_field", 9),
        ("mapping_transform_misfit", 10),
        ("mapping_unknown_transform", 11),
        ("mapping_needs_form", 12),
        ("mapping_two_forms", 13),
        ("mapping_unknown_child", 15),
    ]


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        (HEAD + "verison: A\n" + FIELDS, "version"),
        (HEAD + FIELDS + "  coment: A\n", "comment"),
        ("stream: X\nentity: prty\nkey: Ref_Key\n", "party"),
        (HEAD + FIELDS + "  comment: {from: A, transform: digts}\n", "digits"),
        (HEAD + FIELDS + "  status: {const: actve}\n", "active"),
        (HEAD + FIELDS + "children:\n  adress: []\n", "address"),
        (HEAD + FIELDS + "children:\n  address:\n    - {make: adress, from: A}\n", "address"),
    ],
)
def test_did_you_mean(text: str, guess: str) -> None:
    """A near miss is told with the word that was probably meant, in the sentence too."""
    problem = next(problem for problem in read(text)[1] if problem.params.get("guess"))
    assert problem.params["guess"] == guess
    assert guess in problem.sentence("ru")
    assert guess in problem.sentence("en")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("- a\n", "mapping_not_a_map"),
        ("a: [\n", "mapping_not_yaml"),
        (HEAD + FIELDS + "guessed: &x [a]\nabsent: *x\n", "mapping_alias"),
        (HEAD + "version: !!python/name:os.system x\n" + FIELDS, "mapping_tag"),
        (HEAD + HEAD + FIELDS, "mapping_key_twice"),
        (HEAD + "? [a]\n: b\n" + FIELDS, "mapping_bad_key"),
        ("stream: X\nentity: party\n", "mapping_missing_key"),
        (HEAD + "table: sett\n" + FIELDS, "mapping_unknown_word"),
        (HEAD + "table: turnovers\n" + FIELDS, "mapping_period_missing"),
        (HEAD + "table: balance_and_turnovers\n" + FIELDS, "mapping_period_missing"),
        (HEAD + "table: balance\nperiod: 90\n" + FIELDS, "mapping_period_needless"),
        (HEAD + "table: slice_last\nperiod: all\n" + FIELDS, "mapping_period_needless"),
        (HEAD + "period: all\n" + FIELDS, "mapping_period_needless"),
        (HEAD + "table: turnovers\nperiod: 0\n" + FIELDS, "mapping_wrong_type"),
        (HEAD + "table: turnovers\nperiod: true\n" + FIELDS, "mapping_wrong_type"),
        (HEAD + "table: turnovers\nperiod: month\n" + FIELDS, "mapping_wrong_type"),
        (HEAD + "table: turnovers\nperiod: [1]\n" + FIELDS, "mapping_wrong_type"),
        (HEAD + FIELDS + "  owner: {ref: A_Key}\n", "mapping_ref_without_to"),
        (HEAD + FIELDS + "  owner: {ref: A_Key, to: [X, Y]}\n", "mapping_ref_untyped"),
        (HEAD + FIELDS + "  comment: {ref: A_Key, to: X}\n", "mapping_ref_misfit"),
        (HEAD + FIELDS + "  owner: {const: 1}\n", "mapping_ref_misfit"),
        (HEAD + FIELDS + "  comment: {}\n", "mapping_no_form"),
        (HEAD + FIELDS + "  comment: [a]\n", "mapping_no_value"),
        (HEAD + FIELDS + "  comment: {from: A, default: b}\n", "mapping_only_with_map"),
        (HEAD + FIELDS + "  comment: {sum: [A, B]}\n", "mapping_sum_misfit"),
        (HEAD + FIELDS + "  registered_on: {concat: [A, B]}\n", "mapping_concat_misfit"),
        (HEAD + FIELDS + "  comment: {first: A}\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "  status: {cases: [{then: active}, {when: A, then: former}]}\n", "mapping_case_hides"),
        (HEAD + FIELDS + "  owner: {row: T, value: {ref: A_Key, to: X}}\n", "mapping_row_value"),
        (HEAD + FIELDS + "  comment: {row: T}\n", "mapping_missing_key"),
        (HEAD + FIELDS + "  comment: {from: A, optional: maybe}\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "  comment: {from: A, optional: true, required: true}\n", "mapping_optional_required"),
        (HEAD + FIELDS + "  comment: {from: A, type: text}\n", "mapping_type_not_ext"),
        (HEAD + FIELDS + "  ext.a: A\n", "mapping_ext_without_type"),
        (HEAD + FIELDS + "  ext.a b: {from: A, type: text}\n", "mapping_ext_name"),
        (HEAD + FIELDS + "  ext.a: {from: A, type: txt}\n", "mapping_unknown_word"),
        (HEAD + FIELDS + "  status: {from: A, map: {x: active}, reject: nope}\n", "mapping_unknown_reject"),
        (HEAD + FIELDS + "  comment: A\n  is_legal_entity: A\n", "mapping_two_types"),
        (
            HEAD + FIELDS + "children:\n  party_role:\n    - {number: A, fields: {role: {const: other}}}\n",
            "mapping_number_in_set",
        ),
        (HEAD + FIELDS + "children:\n  party_role:\n    - {when: A}\n", "mapping_required_missing"),
        (HEAD + FIELDS + "children:\n  party_role:\n    - {make: phone, from: A}\n", "mapping_maker_misfit"),
        (HEAD + FIELDS + "children:\n  address:\n    - {make: address}\n", "mapping_maker_sources"),
        (HEAD + FIELDS + "children:\n  address:\n    - {make: nope, from: A}\n", "mapping_unknown_maker"),
        (HEAD + FIELDS + "initial: [A]\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "initial: {A.B: c}\n", "mapping_initial_nowhere"),
        (HEAD + FIELDS + "initial: {A: {find: Catalog_Y}}\n", "mapping_missing_key"),
        (HEAD + FIELDS + "initial: {A: {find: orders, by: {B: c}}}\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "initial: {A: {find: Catalog_Y, by: [B]}}\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "initial: {A: {find: Catalog_Y, by: {}, where: 1}}\n", "mapping_unknown_key"),
        (
            HEAD + FIELDS + "children:\n  address:\n    - {make: address, from: A, follows: {B: {sum: A}}}\n",
            "mapping_wrong_type",
        ),
        (HEAD + FIELDS + "changed: [A]\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "records: {A: b}\n", "mapping_wrong_type"),
        (HEAD + FIELDS + "records:\n  - {Description: x}\n", "mapping_missing_key"),
        (HEAD + FIELDS + "  owner: {ref: A, to: [Enum_A, Enum_B]}\n", "mapping_ref_untyped"),
        ("stream: D\nentity: invoice\nkey: Ref_Key\nfields: {}\n", "mapping_required_missing"),
        ("stream: D\nentity: invoice\nkey: Ref_Key\nfields: {}\n", "mapping_missing_key"),
    ],
)
def test_each_mistake_is_named(text: str, code: str) -> None:
    """Every kind of mistake has its own code, and a sentence in both languages with nothing left unfilled."""
    problems = read(text)[1]
    assert code in [problem.code for problem in problems]
    for problem in problems:
        assert problem.code in catalogue()
        for lang in ("ru", "en"):
            assert problem.sentence(lang).startswith("it.yaml:")
            assert "{" not in problem.sentence(lang).replace("- {", "")


def test_problems_between_files(tmp_path: Path) -> None:
    """A reference to a set nobody reads or to the wrong kind, and a set read twice, are told by their lines."""
    path = folder(
        tmp_path / "profile",
        one=HEAD + FIELDS + "  owner: {ref: A_Key, to: Catalog_Y}\n  head_party: {ref: B_Key, to: Catalog_U}\n",
        two="stream: Catalog_U\nentity: unit\nkey: Ref_Key\nfields: {name: Description}\n",
        three="stream: Catalog_U\nentity: unit\nkey: Ref_Key\nfields: {name: Description}\n",
    )
    with pytest.raises(MappingInvalid) as caught:
        read_folder("test", path)
    found = {(problem.code, str(problem.place)) for problem in caught.value.problems}
    assert found == {
        ("mapping_ref_nowhere", "profile/one.yaml:7"),
        ("mapping_ref_entity", "profile/one.yaml:8"),
        ("mapping_stream_twice", "profile/two.yaml:1"),
    }


@pytest.mark.parametrize(
    ("head", "table", "period"),
    [
        ("table: turnovers\nperiod: 90\n", "turnovers", 90),
        ("table: turnovers\nperiod: all\n", "turnovers", None),
        ("table: balance_and_turnovers\nperiod: 1\n", "balance_and_turnovers", 1),
        ("table: slice_first\nperiod: 30\n", "slice_first", 30),
        ("table: slice_first\n", "slice_first", None),
        ("table: slice_last\n", "slice_last", None),
        ("", "set", None),
    ],
)
def test_each_virtual_table_has_its_period(head: str, table: str, period: int | None) -> None:
    """Days, or all of it; only turnovers must say which. Another period is another result, so it is read anew."""
    mapping = compiled(HEAD + head + FIELDS)
    assert (mapping.table, mapping.period) == (table, period)
    if period is not None:
        other = compiled(HEAD + head.replace(str(period), str(period + 1)) + FIELDS)
        assert other.fingerprint != mapping.fingerprint


def test_the_tables_are_those_that_the_connector_reads() -> None:
    """What a mapping may name and what is asked of 1C are one list."""
    assert set(TABLES) - {"set"} == set(VIRTUAL)


def test_one_table_may_be_shared_by_parts(tmp_path: Path) -> None:
    """Two mappings of one stream are a mistake, unless each says which part of it is its own."""
    text = "stream: R\ntable: balance\npart: {part}\nentity: unit\nkey: A_Key\nfields: {{name: N}}\n"
    path = folder(tmp_path / "p", one=text.format(part="a"), two=text.format(part="b"))
    assert [spec.part for spec in read_folder("test", path)] == ["a", "b"]
    same = folder(tmp_path / "q", one=text.format(part="a"), two=text.format(part="a"))
    with pytest.raises(MappingInvalid, match="R"):
        read_folder("test", same)


def test_the_error_lists_every_problem_by_file_and_line(tmp_path: Path) -> None:
    """What the admin sees: a heading, then one line per problem of every file, in order."""
    other = HEAD.replace("Catalog_X", "Catalog_Y")
    path = folder(tmp_path / "profile", a=HEAD + "fields: {}\n", b=other + "fields: {x: y}\n")
    with pytest.raises(MappingInvalid) as caught:
        read_folder("test", path)
    lines = caught.value.sentence("ru").splitlines()
    assert len(lines) == 1 + len(caught.value.problems) == 6
    assert [line.split(": ")[0].strip() for line in lines[1:]] == ["profile/a.yaml:4"] * 2 + ["profile/b.yaml:4"] * 3


def test_an_unreadable_file_is_a_problem_like_any_other(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 and a file too large are told by name; no traceback."""
    path = folder(tmp_path / "profile")
    (path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    (path / "b.yaml").write_bytes(b"# " + b"x" * 1_000_001)
    with pytest.raises(MappingInvalid) as caught:
        read_folder("test", path)
    assert [(problem.code, problem.place.file) for problem in caught.value.problems] == [
        ("mapping_unreadable", "profile/a.yaml"),
        ("mapping_unreadable", "profile/b.yaml"),
    ]


def test_an_unknown_profile_is_told_with_the_known_ones() -> None:
    """A misspelt profile is a mistake of the settings."""
    with pytest.raises(NeedsPerson) as caught:
        compile_profile("onec_ut12", "Europe/Moscow")
    assert caught.value.code == "unknown_profile"
    assert caught.value.params["guess"] == "onec_ut11"

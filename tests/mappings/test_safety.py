"""Nothing a mapping file says can get into the code that is generated from it."""

from __future__ import annotations

import ast
import json
import re

import pytest

from mappings.compiled import compile_profile
from tests.mappings.build import compiled, guid, read
from tests.mappings.run import one, root

NAMES = ("{v1}", "%s%n", "_Key'", "a b'); raise SystemExit #", "__import__('os').abort()", "None", "k0")
NO_NAMES = ('"); __import__("os").abort(); ("', "a\\n", "x\ny", "é\u202ex", "\x00")


@pytest.mark.parametrize("word", NAMES)
def test_hostile_names_are_only_names(word: str) -> None:
    """A source name that looks like code is read as the name it is; so is a stream."""
    mapping = compiled(
        f"""
        stream: {json.dumps("S" + word)}
        entity: party
        key: Ref_Key
        skip:
          - {{reason: folder, when: {{{json.dumps(word)}: skipped}}}}
        fields:
          kind: {{const: person}}
          display_name: {json.dumps(word)}
          owner: {{ref: {json.dumps(word + "_Key")}, to: {json.dumps("T" + word)}}}
        """
    )
    raw = json.dumps({"Ref_Key": guid(1), word: "value", f"{word}_Key": guid(2)}).encode()
    assert root(mapping, one(mapping, raw))["display_name"] == "value"
    assert mapping.collect(mapping.decode([raw], [""])) == {"T" + word: {guid(2)}}
    raw = json.dumps({"Ref_Key": guid(1), word: "skipped"}).encode()
    assert mapping.skip_reason(mapping.decode([raw], [""])[0]) == "folder"


@pytest.mark.parametrize("word", NAMES + NO_NAMES)
def test_hostile_words_are_only_words(word: str) -> None:
    """Constants, words of a table and of a condition are data, whatever they hold."""
    mapping = compiled(
        f"""
        stream: S
        entity: party
        key: Ref_Key
        skip:
          - {{reason: folder, when: {{A: {json.dumps("skip" + word)}}}}}
        fields:
          kind: {{const: person}}
          display_name: {{const: {json.dumps(word)}}}
          trade_name: {{from: A, map: {{{json.dumps("v" + word)}: {json.dumps(word)}}}}}
        """
    )
    raw = json.dumps({"Ref_Key": guid(1), "A": "v" + word}).encode()
    found = root(mapping, one(mapping, raw))
    assert (found["display_name"], found["trade_name"]) == (word, word)
    raw = json.dumps({"Ref_Key": guid(1), "A": "skip" + word}).encode()
    assert mapping.skip_reason(mapping.decode([raw], [""])[0]) == "folder"


@pytest.mark.parametrize("word", NO_NAMES)
def test_what_can_be_no_name_is_told(word: str) -> None:
    """Quotes, backslashes and invisible characters in a name are a mistake of the file, with its line."""
    shown = json.dumps(word)
    head = "stream: S\nentity: party\nkey: Ref_Key\nfields:\n  kind: {const: person}\n"
    for line in (f"  display_name: {shown}\n", f"  display_name: {{cases: [{{when: {{{shown}: x}}, then: y}}]}}\n"):
        assert ("mapping_bad_name", 6) in [(problem.code, problem.place.line) for problem in read(head + line)[1]]


def test_generated_code_names_nothing_but_its_own() -> None:
    """Every name in the code of the shipped profile is a keyword of the compiler or a numbered one; no attribute but
    numbered ones, and the few methods of dicts, lists and texts.
    """
    own = set(
        re.findall(
            r"\w+",
            """emit gather needs skip items links adders out add i r q h g p n error get append hours days MMSS MISS
            EMPTY NOTHING NO_LINKS Bad Mapped ValueError OverflowError rejected broken external_id bad lost exact
            integer int_text day moment numbered distinct ext_json floor int len max type str filter reversed""",
        )
    )
    methods = {"get", "append", "isdigit", "join"}
    for mapping in compile_profile("onec_ut11", "Europe/Moscow").mappings.values():
        assert mapping.source.isascii()
        for node in ast.walk(ast.parse(mapping.source)):
            if isinstance(node, ast.Name):
                assert node.id in own or re.fullmatch(r"[klavy]\d+", node.id), node.id
            elif isinstance(node, ast.Attribute):
                assert node.attr in methods or re.fullmatch(r"f\d+", node.attr), node.attr
            else:
                assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda)

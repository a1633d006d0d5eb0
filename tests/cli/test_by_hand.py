"""`obmen why`, `pin`, `unpin`, `pins`, `undo` on a home with a base: what an admin reads, and the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from stand.onec.server import OneCStand
from tests.cli.conftest import Obmen, settings, write


@pytest.fixture
def loaded(obmen: Obmen, home: Path, stand: OneCStand, quick: None) -> str:
    """A home whose clients are exchanged; the number of one with a name and a phone."""
    write(home, settings(stand.url))
    assert obmen("exchange", "ut.party").code in {0, 1}
    for number in range(1, 40):
        said = obmen("why", "party", str(number), "--json")
        if said.code == 0:
            paths = {cell["path"] for cell in said.document["result"]["cells"] if cell["value"]}
            if {"legal_name", "display_name"} <= paths and any(
                path.startswith("contact_point[phone") for path in paths
            ):
                return str(number)
    raise AssertionError("no client with a phone")


def test_from_why_to_pin_to_undo(obmen: Obmen, loaded: str) -> None:
    """A value is looked at, pinned, listed, undone, and each answer is one that can be acted upon."""
    said = obmen("why", "party", loaded, "legal_name")
    assert said.code == 0, said.both
    assert f"party № {loaded}" in said.out
    assert "Полное наименование" in said.out
    assert "слово системы ut" in said.out
    assert "сопоставление" in said.out
    assert "comment" not in said.out
    done = obmen("pin", "party", loaded, "comment", "звонить после обеда", "--note", "просил сам")
    assert done.code == 0, done.both
    assert "Было: пусто" in done.out
    said = obmen("why", "party", loaded, "comment")
    assert "звонить после обеда" in said.out
    assert "просил сам" in said.out
    assert "главнее всех систем" in said.out
    assert "туда это поле не пишется" in said.out
    (entry,) = obmen("pins", "party", "--json").document["result"]["pins"]
    assert (entry["record_id"], entry["path"], entry["value"]) == (int(loaded), "comment", "звонить после обеда")
    run = str(entry["run_id"])
    planned = obmen("undo", run)
    assert planned.code == 0, planned.both
    assert f"obmen undo {run} --apply" in planned.out
    assert "звонить после обеда" in planned.out
    assert obmen("pins").out.count("\n") == 1
    applied = obmen("undo", run, "--apply", "--json")
    result = applied.document["result"]
    assert (result["counts"], result["undoes"], result["left"]) == ({"unpin": 1}, int(run), 0)
    assert obmen("pins").out == "Ничего не закреплено.\n"
    assert "уже отменяли" in obmen("undo", run).out
    assert "Отмена" in obmen("status").out


def test_wrong_words_are_told_what_would_be_right(obmen: Obmen, loaded: str) -> None:
    """Exit code 2 and what there is instead: entity, record, field, value, run."""
    for words, part in (
        (("why", "partys", loaded), "party"),
        (("why", "party", "нет такого"), "ИНН"),
        (("why", "party", loaded, "nam"), "legal_name"),
        (("pin", "party", loaded, "nam", "x"), "legal_name"),
        (("pin", "party", loaded, "registered_on", "31.02.2026"), "31.01.2026"),
        (("pin", "party", loaded, "display_name", ""), "обязательное"),
        (("unpin", "party", loaded, "comment"), "не закреплено"),
        (("undo", "999"), "obmen status"),
    ):
        said = obmen(*words)
        assert said.code == 2, words
        assert part in said.err, (words, said.err)
    assert "legal_name" in obmen("why", "party", loaded, "nam", "--lang", "en").err

"""`obmen merge`, `unmerge`, `split`, `judge`: what an admin reads, the documents, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.exchange.service import run_exchange
from hub.store import core
from tests.cli.conftest import Obmen
from tests.exchange.two.home import Home, home_at
from tests.exchange.two.systems import CLIENTS, client, phone


@pytest.fixture
def twins(home: Path) -> Iterator[tuple[Home, int, int, str]]:
    """A home between two bases, one client that both know, and its twin in the CRM: numbers, and the twin's key."""
    with home_at(home, "merges") as made:
        twin = client("Ромашка (старая)", "", "", КонтактнаяИнформация=[phone("+7 495 7654321")])
        made.bases["crm"].put(CLIENTS, twin)
        run_exchange(made.hub)
        numbers = {row["external_id"]: row["record_id"] for row in made.rows(core.link)}
        made.work.close()
        yield made, numbers[made.keys["ut"]], numbers[twin["Ref_Key"]], str(twin["Ref_Key"])


def test_from_plan_to_merge_to_undo(obmen: Obmen, twins: tuple[Home, int, int, str], quick: None) -> None:
    """Each answer can be acted upon: the plan, the merge, the list, why, the undo, and the undo done twice."""
    _, one, other, key = twins
    planned = obmen("merge", str(one), key)
    assert planned.code == 0, planned.both
    assert f"crm {key}: № {other} → № {one}" in planned.out
    assert "contact_point[phone,+74957654321,]: пусто → +7 495 7654321" in planned.out
    assert "с --apply" in planned.out
    assert obmen("unmerge").out == "Ничего не объединяли и не разделяли.\n"
    done = obmen("merge", str(one), str(other), "--note", "одна фирма", "--apply", "--json")
    assert done.code == 0, done.both
    result = done.document["result"]
    assert (result["record_id"], result["others"], result["vetoes"]) == (one, [other], [])
    listed = obmen("unmerge")
    assert f"№ {other} «Ромашка (старая)» → № {one} «ООО Ромашка» (одна фирма)" in listed.out
    assert f"объединена № {other} «Ромашка (старая)» (crm {key})" in obmen("why", "party", str(other)).out
    assert "Объединение" in obmen("status").out
    run = str(result["run_id"])
    back = obmen("unmerge", run, "--note", "ошибка")
    assert back.code == 0, back.both
    assert f"№ {one} и № {other} — разные" in back.out
    assert obmen("unmerge", "--record", str(other), "--apply").code == 0
    again = obmen("unmerge", run, "--apply")
    assert again.code == 0
    assert "уже отменено" in again.out
    assert "отменено запуском" in obmen("unmerge").out


def test_judgements_and_what_speaks_against_a_merge(
    obmen: Obmen, twins: tuple[Home, int, int, str], quick: None
) -> None:
    """A word is kept and listed; a merge against it is a plan with exit code 1, refused, and done with --force."""
    _, one, other, _ = twins
    pair = (str(one), str(other))
    assert obmen("judge").out == "Ни о каких парах ничего не сказано.\n"
    said = obmen("judge", *pair, "different", "--note", "два города")
    assert said.code == 0, said.both
    assert "разные" in said.out
    assert "два города" in obmen("judge", str(one)).out
    planned = obmen("merge", *pair)
    assert planned.code == 1, planned.both
    assert "два города" in planned.out
    assert "--force --apply" in planned.out
    assert "are different" in obmen("merge", *pair, "--lang", "en").out
    refused = obmen("merge", *pair, "--apply")
    assert refused.code == 2
    assert "два города" in refused.err
    assert obmen("judge", *pair, "--revoke").code == 0
    assert obmen("judge").out == "Ни о каких парах ничего не сказано.\n"
    assert "забрано" in obmen("judge", "--revoked").out
    obmen("judge", *pair, "different")
    assert obmen("merge", *pair, "--force", "--apply").code == 0
    for words in ((*pair,), (*pair, "different", "--revoke"), (*pair, "нет")):
        assert obmen("judge", *words).code == 2, words


def test_split_takes_a_record_out(obmen: Obmen, twins: tuple[Home, int, int, str], quick: None) -> None:
    """By its key, with its system or without; what is not there is refused with what is."""
    _, one, other, key = twins
    obmen("merge", str(one), str(other), "--apply")
    refused = obmen("split", str(one), "нет")
    assert refused.code == 2
    assert f"crm:{key}" in refused.err
    assert obmen("split", str(one), f"crm:{key}").code == 0
    done = obmen("split", str(one), f"crm:{key}", "--apply", "--json").document["result"]
    assert (done["op"], done["links"][0]["after"]) == ("split", done["others"][0])
    assert "вынесена" in obmen("unmerge").out
    assert f"разделена с № {done['others'][0]}" in obmen("why", "party", str(one)).out

"""``obmen rules``: the map of the exchange, and what it says of rules that cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.exchange.hub import Hub
from tests.cli.conftest import Obmen, settings, write

URL = "http://127.0.0.1:9/ut"  # nobody answers there: nothing is asked
ROUTES = """\
routes:
  ut.party:
    write: [comment, contact_point]
    policies: {comment: {policy: manual}}
"""


def test_the_map_for_a_person(obmen: Obmen, home: Path) -> None:
    """One line a field: label, rule, who is written to, what is stated by a route; nothing is made in the home."""
    write(home, settings(URL) + ROUTES)
    said = obmen("rules", "party")
    assert said.code == 0, said.both
    lines = {line.split()[0]: line for line in said.out.splitlines() if line.startswith("  ")}
    assert "Дополнительная информация" in lines["comment"]
    for part in ("решает человек; до решения — ut", "пишется в ut", "задано в ut.party"):
        assert part in lines["comment"]
    assert "никуда не пишется" in lines["legal_name"]
    assert "вместе с группой legal" in lines["legal_name"]
    assert "объединение" in lines["contact_point"]
    assert "об удалении решает человек" in lines["record_state"]
    assert "Клиенты (party)" in said.out
    assert "Заказы" not in said.out
    assert [path.name for path in home.iterdir() if path.name != "logs"] == ["hub.yaml"]


def test_the_whole_map_in_english(obmen: Obmen, home: Path) -> None:
    """Without a word every entity that a system has is shown, an order that hangs on a value with both its orders."""
    write(home, settings(URL))
    said = obmen("rules", "--lang", "en")
    assert said.code == 0, said.both
    assert "Clients (party)" in said.out
    (line,) = [line for line in said.out.splitlines() if line.startswith("  sales_order_line ")]
    assert "master: origin → ut · while business_status is closed, confirmed, in_work, " in line
    assert "partly_shipped, shipped: ut · written nowhere" in line
    assert "by default" in line


def test_the_document_of_the_map(obmen: Obmen, home: Path) -> None:
    """Names that scripts and the spreadsheet rely on."""
    write(home, settings(URL) + ROUTES)
    result = obmen("rules", "sales_order", "--json").document["result"]
    assert result["roles"] == {"ut": "trade"}
    (line,) = [rule for rule in result["rules"]["sales_order"] if rule["name"] == "sales_order_line"]
    assert line["by"]["field"] == "business_status"
    assert line["by"]["order"] == ["ut"]
    assert (line["policy"], line["order"], line["on_loss"]) == ("master", ["origin", "ut"], "task")
    assert (line["group"], line["reads"], line["writes"], line["stated_by"]) == ("composition", ["ut"], [], "")


def test_an_unknown_entity_is_told_the_known_ones(obmen: Obmen, home: Path) -> None:
    """A mistyped name ends with 2 and names what there is."""
    write(home, settings(URL))
    said = obmen("rules", "partys")
    assert said.code == 2
    assert "partys" in said.err
    assert "sales_order" in said.err


@pytest.mark.parametrize("command", ["rules", "check"])
def test_rules_that_cannot_work_refuse_every_command(
    obmen: Obmen, home: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, all of them at once with their lines; the base is not asked."""
    monkeypatch.setattr(Hub, "connector", lambda *_: pytest.fail("the base was asked"))
    write(home, settings(URL) + "routes:\n  ut.party: {write: [segment], create: always}\n")
    said = obmen(command)
    assert said.code == 2
    assert "routes.ut.party.write" in said.err
    assert "строка 12" in said.err
    told = obmen(command, "--json").document["error"]
    assert [problem["code"] for problem in told["problems"]] == ["rules_cannot_write", "rules_create_in_needed"]
    assert {problem["line"] for problem in told["problems"]} == {12}

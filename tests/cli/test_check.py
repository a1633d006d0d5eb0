"""``obmen check``: what it says of a base that is fine and of one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.exchange.service import RouteReport, RunReport
from hub.model.errors import Fenced, HubError, NeedsPerson, RetryLater, SkipRecord, StopRoute, StopSystem, exit_code
from stand.onec.server import OneCStand
from tests.cli.conftest import PASSWORD, Obmen, settings, write


def test_a_good_base_is_told_as_ready(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Answer, publication and mappings each get their line; nothing is written to the base."""
    write(home, settings(stand.url))
    said = obmen("check")
    assert said.code == 0
    assert "Торговля (ut)" in said.out
    assert said.out.count("✓") == 3
    assert "✗" not in said.out
    assert "Всё готово к обмену." in said.out
    assert stand.requests.writes == 0


def test_the_document_of_a_check(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Names that scripts rely on; the clock of the server is told with its zone."""
    write(home, settings(stand.url))
    (system,) = obmen("check", "ut", "--json").document["result"]["systems"]
    assert (system["system"], system["reachable"], system["exit_code"]) == ("ut", True, 0)
    assert system["streams"] > 40
    assert system["mappings"] > 15
    assert (system["problems"], system["paused"]) == ([], {})
    assert system["server_time"].endswith("+00:00")


def test_a_field_that_is_not_published_pauses_its_mapping_alone(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """An overlay that asks for a field the base lacks: exit code 1, the mapping and the field are named."""
    (home / "site").mkdir()
    (home / "site" / "currency.yaml").write_text("fields:\n  name: НетТакогоПоля\n", encoding="utf-8")
    write(home, settings(stand.url, more="    overlay: site\n"))
    said = obmen("check")
    assert said.code == 1, said.both
    assert "сопоставление «currency» приостановлено" in said.out
    assert "НетТакогоПоля" in said.out
    assert "Не всё готово" in said.out
    (system,) = obmen("check", "--json").document["result"]["systems"]
    assert list(system["paused"]) == ["currency"]
    assert system["mappings"] > 15


def test_a_mapping_that_cannot_be_read_is_told_with_its_line(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A typing error in the site's own mapping file ends with 2 and names file and line."""
    (home / "site").mkdir()
    (home / "site" / "currency.yaml").write_text("fields:\n  nme: Description\n", encoding="utf-8")
    write(home, settings(stand.url, more="    overlay: site\n"))
    said = obmen("check")
    assert said.code == 2
    assert "currency.yaml:2" in said.err


def test_what_a_mapping_does_without_is_named(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A guessed field that an update took away stays empty from now on: no reason to stop, and one to be told."""
    stand.quirks.update({"unpublished": ["Catalog_Партнеры.НаименованиеПолное"]})
    write(home, settings(stand.url))
    said = obmen("check")
    assert said.code == 0, said.both
    assert "«partner» обходится без" in said.out
    assert "НаименованиеПолное" in said.out
    (system,) = obmen("check", "--json").document["result"]["systems"]
    assert system["left_out"] == {"partner": ["НаименованиеПолное"]}


def test_quiet_hours_are_not_readiness(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A base that is not asked now was not tested: it is not called ready, and nothing is sent to it."""
    write(home, settings(stand.url, more="    quiet_hours: 00:00-23:59\n"))
    said = obmen("check")
    assert said.code == 1, said.both
    assert "тихие часы" in said.out
    assert "Не всё готово" in said.out
    assert stand.requests.methods == {}


def test_the_worst_system_decides(obmen: Obmen, home: Path, stand: OneCStand, quick: None) -> None:
    """One base is fine, one is down: both are told, the exit code is that of the one that is down."""
    other = (
        settings("http://127.0.0.1:9/bp")
        .split("systems:\n")[1]
        .replace("  ut:", "  bp:")
        .replace("Торговля", "Бухгалтерия")
    )
    write(home, settings(stand.url) + other)
    said = obmen("check")
    assert said.code == 3, said.both
    assert "Торговля (ut)" in said.out
    assert "Бухгалтерия (bp)" in said.out
    assert obmen("check", "ut").code == 0


def test_an_unknown_system_is_told_the_known_ones(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A mistyped name is no crash and no silent success."""
    write(home, settings(stand.url))
    said = obmen("check", "tu")
    assert said.code == 2
    assert "ut" in said.err


def test_a_store_that_cannot_be_opened_is_told_before_any_base_is_asked(
    obmen: Obmen, home: Path, stand: OneCStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in place of the file, and a database server that is not there; its password is not shown."""
    (home / "store.db").mkdir()
    write(home, settings(stand.url))
    said = obmen("check")
    assert said.code == 2
    assert "store.db" in said.err
    monkeypatch.setenv("TEST_STORE", PASSWORD)
    write(
        home,
        settings(stand.url)
        + "store_url: postgresql+psycopg://hub@127.0.0.1:9/hub\nstore_password: {env: TEST_STORE}\n",
    )
    said = obmen("check")
    assert said.code == 3
    assert "PostgreSQL" in said.err
    assert PASSWORD not in said.both
    assert len(stand.requests) == 0


@pytest.mark.parametrize(
    "error",
    [
        NeedsPerson("settings_missing"),
        StopSystem("auth_failed"),
        StopSystem("nothing_published"),
        StopSystem("not_onec"),
        StopRoute("unknown_set"),
        RetryLater("source_unreachable"),
        Fenced("fenced"),
        SkipRecord("bad_date"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.code}",
)
def test_a_check_and_an_exchange_judge_an_error_alike(error: HubError) -> None:
    """What a check ends with is what an exchange that meets the same fault ends with."""
    report = RunReport(1, "manual", [RouteReport("ut.party", "failed", error=error)])
    assert exit_code(error) == report.exit_code

"""``obmen exchange`` and ``obmen backfill`` against a stand: exit codes, what is told, what is never told."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub.cli.work import period
from hub.model.errors import NeedsPerson
from hub.model.records import OUTCOMES, Window
from stand.onec.server import OneCStand
from tests.cli.conftest import PASSWORD, USER, Obmen, Said, all_files, settings, write

FEW = ["ut.currency", "ut.unit", "ut.party"]


def balanced(route: dict[str, Any]) -> bool:
    """What was received has exactly one outcome each."""
    return bool(route["received"] == sum(route[name] for name in OUTCOMES))


def test_an_exchange_ends_with_0_and_a_summary(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """All routes of the base come through; progress goes to standard error, the summary to standard output."""
    write(home, settings(stand.url))
    said = obmen("exchange")
    assert said.code == 0, said.both
    assert "ИТОГ: ВСЁ В ПОРЯДКЕ" in said.out
    assert "Баланс сошёлся" in said.out
    assert "ut.sales_order · Заказы · Document_ЗаказКлиента: 120/120" in said.err
    assert "120/120" not in said.out


def test_the_second_exchange_changes_nothing(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Received as the base counts, nothing created or updated, no write request sent."""
    write(home, settings(stand.url))
    assert obmen("exchange").code == 0
    stand.requests.clear()
    found = obmen("exchange", "--json").document["result"]
    assert found["totals"]["received"] > 500
    assert (found["totals"]["created"], found["totals"]["updated"]) == (0, 0)
    assert stand.requests.writes == 0
    orders = next(item for item in found["routes"] if item["route"] == "ut.sales_order")
    assert orders["received"] == orders["unchanged"] == len(stand.world.records("Document_ЗаказКлиента"))


def test_the_document_for_machines(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Standard output holds one JSON document and nothing else; names that scripts rely on."""
    write(home, settings(stand.url))
    said = obmen("exchange", *FEW, "--json", "--lang", "en")
    document = said.document
    assert (document["command"], document["exit_code"], said.code) == ("exchange", 0, 0)
    found = document["result"]
    assert [item["route"] for item in found["routes"]] == FEW
    assert all(balanced(item) for item in found["routes"])
    assert found["balanced"] is True
    assert (found["mode"], found["state"], found["verdict"]) == ("manual", "completed", "good")
    assert {"route", "state", "writes", "resumed", "paused", "later", "error"} == set(found["reports"][0])


def test_a_system_stands_for_all_of_its_routes(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Naming the base exchanges what naming nothing would; each route once, in load order."""
    write(home, settings(stand.url))
    found = obmen("exchange", "ut.party", "ut", "--json").document["result"]
    codes = [item["route"] for item in found["routes"]]
    assert len(codes) == len(set(codes)) > 10
    assert codes.index("ut.currency") < codes.index("ut.party")


def test_a_broken_record_ends_with_1(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """One record with a broken date waits in quarantine; the others pass, and the summary says what to do."""
    record = stand.world.records("Document_ЗаказКлиента")[0]
    stand.world.edit("Document_ЗаказКлиента", record["Ref_Key"], {"Date": "2026-13-45T00:00:00"})
    write(home, settings(stand.url))
    said = obmen("exchange")
    assert said.code == 1, said.both
    assert "ТРЕБУЕТ ВНИМАНИЯ" in said.out
    assert "(ut.sales_order): записей в карантине — 1" in said.out
    assert record["Ref_Key"] not in said.both


def wrong_setting(home: Path, stand: OneCStand) -> None:
    """A misspelt key in line 12."""
    write(home, settings(stand.url, more="    max_session: 1\n"))


def wrong_password(home: Path, stand: OneCStand) -> None:
    """Another password than the base has."""
    stand.service.login.expected = "другой:пароль"
    write(home, settings(stand.url))


def no_password(home: Path, stand: OneCStand) -> None:
    """A variable that is not set."""
    write(home, settings(stand.url, password="{env: TEST_NOT_SET}"))


def password_in_the_file(home: Path, stand: OneCStand) -> None:
    """The password itself in the settings."""
    write(home, settings(stand.url, password=PASSWORD))


def server_down(home: Path, stand: OneCStand) -> None:
    """Nobody listens on the port any more."""
    stand.stop()
    write(home, settings(stand.url))


def gateway_down(home: Path, stand: OneCStand) -> None:
    """The web server answers 503 for all."""
    stand.quirks.down = True
    write(home, settings(stand.url))


def html_page(home: Path, stand: OneCStand) -> None:
    """A web page with status 200 instead of data."""
    stand.quirks.html_instead_of_json = True
    write(home, settings(stand.url))


def nothing_published(home: Path, stand: OneCStand) -> None:
    """An empty service list."""
    stand.quirks.empty_service_list = True
    write(home, settings(stand.url))


def unknown_profile(home: Path, stand: OneCStand) -> None:
    """A set of mappings that is not shipped."""
    write(home, settings(stand.url).replace("onec_ut11", "onec_ut12"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("command", ["exchange", "check"])
@pytest.mark.parametrize(
    ("spoil", "code", "told"),
    [
        (wrong_setting, 2, "строка 11, systems.ut.max_session"),
        (wrong_password, 2, "парол"),
        (no_password, 2, "env:TEST_NOT_SET"),
        (password_in_the_file, 2, "пароль не должен стоять в файле настроек"),
        (unknown_profile, 2, "onec_ut11"),
        (server_down, 3, "127.0.0.1"),
        (gateway_down, 3, "503"),
        (html_page, 3, "Торговля"),
    ],
)
def test_bad_input_gets_a_sentence_an_advice_and_its_code(
    obmen: Obmen, home: Path, stand: OneCStand, quick: None, command: str, spoil: Any, code: int, told: str
) -> None:
    """Which system, which field, what to do; no traceback, no password, and nothing half-written."""
    spoil(home, stand)
    said = obmen(command, *(["ut.currency"] if command == "exchange" else []))
    assert said.code == code, said.both
    assert told in said.both
    safe(said, home, spoil is not password_in_the_file)


def safe(said: Said, home: Path, everywhere: bool) -> None:
    """No traceback on the terminal, and the password neither there nor in any file of the home."""
    assert "Traceback" not in said.both
    assert PASSWORD not in said.both
    if everywhere:
        assert PASSWORD.encode() not in all_files(home)


@pytest.mark.parametrize(("switch", "value"), [("html_instead_of_json", True), ("fail_status", 500)])
def test_a_fault_that_passes_in_the_middle_ends_nothing(
    obmen: Obmen, home: Path, stand: OneCStand, quick: None, switch: str, value: object
) -> None:
    """One page, one failure in the middle of an exchange by the command: every route comes through, nothing is lost."""
    write(home, settings(stand.url))
    stand.quirks.update({switch: value, "after": 9, "times": 2})
    found = obmen("exchange", "--json").document
    assert stand.quirks.struck == 2
    assert (found["exit_code"], found["result"]["state"]) == (0, "completed")
    orders = next(line for line in found["result"]["routes"] if line["route"] == "ut.sales_order")
    assert orders["created"] == len(stand.world.records("Document_ЗаказКлиента"))


def test_changes_say_what_they_left_to_the_night(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Lists of a base without a node are not called done: on the terminal and for machines."""
    write(home, settings(stand.url))
    assert obmen("exchange").code == 0
    said = obmen("exchange", "--changes")
    assert said.code == 0
    assert "ждут ночного обмена" in said.out
    (line,) = [line for line in said.out.splitlines() if line.strip().startswith("ut.party ")]
    assert line.endswith("ждёт ночи")
    found = obmen("exchange", "--changes", "--json").document["result"]
    assert "ut.party" in found["later"]
    report = next(item for item in found["reports"] if item["route"] == "ut.party")
    assert (report["state"], bool(report["later"])) == ("later", True)


def test_an_empty_publication_is_never_nothing_to_do(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A base that publishes nothing is refused with the way to publish, not called exchanged."""
    nothing_published(home, stand)
    said = obmen("check")
    assert said.code == 2
    assert "не опубликован ни один объект" in said.out
    assert "Настройка стандартного интерфейса OData" in said.out


def test_an_error_for_machines_says_what_a_person_reads(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Wrong settings come as a list of problems with lines; a failed route brings its error and its advice."""
    wrong_setting(home, stand)
    error = obmen("exchange", "--json").document["error"]
    assert [(item["line"], item["where"]) for item in error["problems"]] == [(11, "systems.ut.max_session")]
    wrong_password(home, stand)
    document = obmen("exchange", "ut.currency", "--json", "--lang", "en").document
    assert document["exit_code"] == 2
    (report,) = document["result"]["reports"]
    assert report["error"]["code"] == "auth_failed"
    assert report["error"]["advice"]
    assert document["result"]["todo"][0]["severity"] == "red"


def test_an_unknown_route_is_told_the_valid_ones(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A mistyped route is refused before anything is read."""
    write(home, settings(stand.url))
    said = obmen("exchange", "ut.partie")
    assert said.code == 2
    assert "ut.partie" in said.err
    assert "ut.party" in said.err
    assert len(stand.requests) == 0


def test_no_secret_is_written_anywhere(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """After a check, an exchange and a status no output and no file of the home holds the password."""
    write(home, settings(stand.url))
    said = [obmen("check"), obmen("exchange"), obmen("exchange", "--json"), obmen("status", "--json")]
    assert [item.code for item in said] == [0, 0, 0, 0]
    assert PASSWORD not in "".join(item.both for item in said)
    assert PASSWORD.encode() not in all_files(home)
    assert USER.encode() in all_files(home), "the search itself must work"


def test_a_backfill_reads_the_days_it_is_told(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """Both days belong to the period; the run is silent and marked as a backfill."""
    days = sorted(record["Date"][:10] for record in stand.world.records("Document_ЗаказКлиента"))
    first, last = days[10], days[60]
    write(home, settings(stand.url))
    said = obmen("backfill", "ut.sales_order", "--from", first, "--to", last, "--json")
    found = said.document["result"]
    assert found["mode"] == "backfill"
    assert found["totals"]["received"] == sum(first <= day <= last for day in days)
    entry = json.loads(obmen("status", "--json").out)["result"]["runs"][0]
    assert (entry["mode"], entry["silent"]) == ("backfill", True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ut.sales_order", "--from", "01.02.2026", "--to", "2026-02-02"], "cli_bad_day"),
        (["ut.sales_order", "--from", "2026-02-03", "--to", "2026-02-02"], "cli_bad_period"),
        (["ut.party", "--from", "2026-02-01", "--to", "2026-02-02"], "cli_not_dated"),
        (["ut.nothing", "--from", "2026-02-01", "--to", "2026-02-02"], "unknown_route"),
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused(
    obmen: Obmen, home: Path, stand: OneCStand, words: list[str], code: str
) -> None:
    """A bad day, a period turned round, a list without dates and an unknown route end with 2."""
    write(home, settings(stand.url))
    said = obmen("backfill", *words, "--json")
    assert (said.code, said.document["error"]["code"]) == (2, code)
    assert said.document["error"]["advice"]
    assert len(stand.requests) == 0


def test_a_period_includes_its_last_day() -> None:
    """One day from and to the same date is one day."""
    assert period("2026-02-28", "2026-02-28") == Window(date(2026, 2, 28), date(2026, 3, 1))
    with pytest.raises(NeedsPerson):
        period("2026-02-30", "2026-03-01")

"""The job that replays quarantine: dry unless told otherwise, and one with the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, ExecuteInProcessResult
from sqlalchemy import select

from connectors import registry
from hub.cli.main import main
from hub.exchange.service import run_exchange
from hub.reports.quarantine_book import export
from hub.store import core
from hub.store.quarantined import Choice
from tests.cli.workbook import decide
from tests.dagster.base import ORDERS, guid, opener, order
from tests.dagster.conftest import Site, numbers, site_at
from tests.dagster.test_exchange import contents, failures, journal
from tests.exchange.quarantine_world import BROKEN_DAY, everything

SECRET = "Василий Тайный"


@pytest.fixture
def broken(site: Site) -> Site:
    """Two orders with an impossible day and one whose sum is a name; everything else has passed."""
    spoil(site)
    return site


def spoil(site: Site) -> None:
    """Break three orders and exchange."""
    for number in (1, 2):
        site.base.put(ORDERS, order(number, BROKEN_DAY))
    site.base.put(ORDERS, order(3, "2026-03-02") | {"СуммаДокумента": SECRET})
    run_exchange(site.hub)


def mend(site: Site) -> None:
    """What a mended mapping would do: the kept payloads hold a good value now."""
    table = core.quarantine
    with site.hub.store.begin() as conn:
        for row in conn.execute(select(table.c.id, table.c.payload).where(table.c.reason_code == "bad_date")).all():
            good = row.payload.replace(BROKEN_DAY, "2026-03-02")
            conn.execute(table.update().where(table.c.id == row.id).values(payload=good))


def run(site: Site, **config: Any) -> ExecuteInProcessResult:
    """The job with that configuration of its op."""
    asked = {"ops": {"replay": {"config": config}}} if config else {}
    return site.run("replay_quarantine", day=None, run_config=asked)


def told(result: ExecuteInProcessResult) -> dict[str, Any]:
    """Metadata of the op's output."""
    (event,) = [one for one in result.all_events if one.is_successful_output]
    return {label: value.value for label, value in event.step_output_data.metadata.items()}


def test_as_it_stands_it_only_tells(broken: Site) -> None:
    """Launched without a configuration the job writes nothing, and shows by cause what would come of it."""
    mend(broken)
    before = everything(broken.hub.store)
    result = run(broken)
    assert result.success
    assert everything(broken.hub.store) == before
    found = told(result)
    assert (found["пробный прогон"], found["получено"], found["прошло"], found["не прошло"]) == (True, 3, 2, 1)
    rows = {row.data["причина"]: row.data for row in found["по причинам"].records}
    assert rows["bad_date"]["прошло"] == 2
    assert rows["bad_number"]["что мешает"] == "bad_number СуммаДокумента"
    assert result.get_asset_materialization_events() == []


def test_done_for_good_it_tells_the_run_and_the_assets(broken: Site) -> None:
    """The counters are those of the journal, the route's page shows them with the mode, the rest stays open."""
    mend(broken)
    result = run(broken, dry_run=False, cause="bad_date")
    assert result.success
    found = told(result)
    assert (found["пробный прогон"], found["прошло"], found["не прошло"]) == (False, 2, 0)
    page = numbers(result, "ut/sales_order")
    assert (page["создано"], page["режим"], page["обмен №"]) == (2, "повтор карантина", found["обмен №"])
    (row,) = broken.rows(select(core.exchange_run).where(core.exchange_run.c.id == found["обмен №"]))
    assert (row.mode, row.initiator, row.dagster_run_id, row.state) == ("replay", "dagster", result.run_id, "completed")
    states = select(core.quarantine.c.reason_code, core.quarantine.c.state)
    assert sorted(broken.rows(states)) == [("bad_date", "resolved"), ("bad_date", "resolved"), ("bad_number", "open")]


def test_command_and_job_leave_the_same_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same replay by either: the same rows of runs and routes, the same quarantine, the same business data."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    found = []
    for way in ("command", "job"):
        with site_at(tmp_path / way, way) as site:
            spoil(site)
            mend(site)
            if way == "job":
                assert run(site, dry_run=False, route="ut.sales_order").success
            else:
                assert main(["--home", str(site.home), "quarantine", "replay", "ut.sales_order", "--apply"]) == 1
            table = core.quarantine
            kept = site.rows(select(table.c.external_id, table.c.state, table.c.attempts).order_by(table.c.id))
            found.append((journal(site), kept, contents(site)))
    assert found[0] == found[1]
    assert "replay" in {row[2] for row in found[0][0]}


def test_a_file_of_decisions_is_carried_out(broken: Site, tmp_path: Path) -> None:
    """The same file that the command takes; with a mistake in it nothing is done and the step fails with a sentence."""
    path, _ = export(broken.hub, tmp_path / "q.xlsx", Choice(), "ru")
    decide(
        path, {guid(3, 1): ("исправить", "2026-03-02"), guid(3, 2): ("пропустить", None), guid(3, 3): ("чудо", None)}
    )
    before = everything(broken.hub.store)
    result = run(broken, dry_run=False, decisions=str(path))
    assert not result.success
    assert "ошибок: 1" in failures(result)["replay"]
    assert everything(broken.hub.store) == before
    decide(path, {guid(3, 3): (None, None)})
    result = run(broken, dry_run=False, decisions=str(path))
    assert result.success
    found = told(result)
    assert (found["прошло"], found["пропущено"], found["с исправленным значением"]) == (1, 1, 1)
    states = select(core.quarantine.c.state).order_by(core.quarantine.c.id)
    assert sorted(state for (state,) in broken.rows(states)) == ["corrected", "open", "resolved", "skipped"]


def test_nothing_of_a_card_reaches_dagster(broken: Site) -> None:
    """A refused value that is a person's name stands in the store only, not in any event of the run."""
    result = run(broken)
    assert SECRET in repr(everything(broken.hub.store))
    assert SECRET not in repr(result.all_events)
    assert SECRET not in repr(broken.instance.all_logs(result.run_id))


def test_what_cannot_be_asked_for_fails_with_a_sentence(broken: Site) -> None:
    """An unknown route and a file that is not there."""
    assert "ut.nothing" in failures(run(broken, route="ut.nothing"))["replay"]
    assert "xlsx" in failures(run(broken, decisions="nowhere.xlsx"))["replay"]


def test_the_page_of_an_asset_shows_a_replay_by_the_command(broken: Site) -> None:
    """The sensor that copies the command's runs knows this mode too."""
    from hub.assets.journal import untold
    from hub.exchange.replay import chosen, replay

    mend(broken)
    with broken.hub.store.read() as conn:
        orders = chosen(conn, Choice())
    report = replay(broken.hub, orders, apply=True, by="анна")
    events = untold(broken.hub, (report.run_id or 0) - 1).events
    (page,) = [event for event in events if event.asset_key == AssetKey(["ut", "sales_order"])]
    assert page.metadata["режим"].value == "повтор карантина"

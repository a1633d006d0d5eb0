"""What an admin does in the UI, in a real browser: look, start the nightly exchange, read the numbers, backfill."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as NotShown

from stand.onec.generate.build import build
from tests.e2e.site import ROOT, Site, running_site, until

NO_CHROMIUM = "Chromium is not installed: the test of the UI is skipped (apt-get install chromium)"
PICTURE = ROOT / "docs" / "images" / "ui.png"
#: What a browser must not do in a test: need a display, a sandbox it may not have as root, or the Internet.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GROUPS = ("g00_summary", "g10_sources", "g15_catalogue", "g20_clients", "g30_sales", "g40_stock", "g50_communications")
ZONE = ZoneInfo("Europe/Moscow")
PATIENCE = 60_000

pytestmark = pytest.mark.skipif(os.name == "nt", reason="obmen up is started and ended by POSIX signals here")


def chromium() -> str | None:
    """The installed browser."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running installation whose base ends today."""
    if chromium() is None:
        pytest.skip(NO_CHROMIUM)
    world = build(seed=7, clients=60, products=60, orders=400, today=datetime.now(ZONE).date())
    with running_site(tmp_path / "home", world) as made:
        yield made


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    """A page of a browser that sees nothing but this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id=str(ZONE), locale="ru-RU")
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        shown = context.new_page()
        shown.set_default_navigation_timeout(PATIENCE)
        yield shown
        browser.close()


@pytest.mark.timeout(1200)
def test_a_morning_in_the_ui(site: Site, page: Page) -> None:
    """Groups in order, the nightly job run from its page, its numbers on the asset, a week's backfill turning green."""
    sees_the_groups(site, page)
    starts_the_nightly_job(site, page)
    reads_the_counters(site, page)
    backfills_a_week(site, page)


def sees_the_groups(site: Site, page: Page) -> None:
    """All groups, in the order in which they are to be read."""
    page.goto(f"{site.url}/asset-groups")
    expect(page.get_by_text("Global asset lineage").first).to_be_visible()
    places = []
    for group in GROUPS:
        label = page.get_by_text(group, exact=True).first
        expect(label).to_be_visible()
        box = label.bounding_box()
        assert box is not None
        places.append(box["y"])
    assert places == sorted(places)


def starts_the_nightly_job(site: Site, page: Page) -> None:
    """From the job's own page; the run succeeds and says so."""
    page.goto(f"{site.url}/locations/hub/jobs/nightly_exchange")
    page.locator('button:has-text("Materialize all")').first.click()
    page.locator('button:has-text("Latest")').first.click()
    page.locator('button:has-text("Launch 1 run")').first.click()
    (run,) = until(site.runs, "the run that was launched")
    assert (run["jobName"], run["tags"]["obmen/mode"]) == ("nightly_exchange", "nightly")
    page.goto(f"{site.url}/runs/{run['runId']}")
    until(lambda: site.ended(run["runId"]), "the end of the nightly run", going=lambda: site.works_on(run["runId"]))
    assert site.ended(run["runId"]) == "SUCCESS"
    expect(page.get_by_text("RUN_SUCCESS").first).to_be_visible()


def reads_the_counters(site: Site, page: Page) -> None:
    """The asset's page shows in Russian what was received and created: as many orders as the base has."""
    orders = len(site.world.records("Document_ЗаказКлиента"))
    page.goto(f"{site.url}/assets/ut/sales_order")
    expect(page.get_by_text("из системы «Торговля»").first).to_be_visible()
    for label in ("получено", "создано"):
        row = page.locator("tr", has_text=label).first
        expect(row).to_be_visible()
        expect(row).to_contain_text(str(orders))
    until(lambda: is_fresh(page), "the freshness daemon's word on the asset's page")
    if os.environ.get("OBMEN_WRITE_PICTURE") == "1":
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1680, "height": 1000})
        expect(page.get_by_text("Row count").first).to_be_visible()
        page.screenshot(path=PICTURE)


def is_fresh(page: Page) -> bool:
    """Whether the asset counts as fresh: the daemon looks every half minute, the page asks only when it is loaded."""
    page.reload()
    try:
        page.get_by_text("Passing").first.wait_for(timeout=10_000)
    except NotShown:
        return False
    return True


def backfills_a_week(site: Site, page: Page) -> None:
    """Seven days chosen on the asset become one silent run; the partitions are green afterwards."""
    today = datetime.now(ZONE).date()
    days = [today - timedelta(days=number) for number in range(8, 1, -1)]
    page.locator('button:has-text("Materialize")').first.click()
    field = page.locator('input[placeholder="No matching partitions"]:visible').first
    field.fill(f"[{days[0]}...{days[-1]}]")
    field.press("Enter")
    expect(page.get_by_text("7 partitions").first).to_be_visible()
    expect(page.get_by_text("Backfills all partitions in a single run.").first).to_be_visible()
    page.locator('button:visible:has-text("Launch backfill")').last.click()

    def launched() -> str:
        return next((str(run["runId"]) for run in site.runs() if run["tags"].get("obmen/mode") == "backfill"), "")

    until(site.backfills, "the backfill that was asked for in the UI")
    taken_up = lambda: site.backfills()[:1] == ["REQUESTED"] and site.daemons_live()  # noqa: E731 - it is one thought
    number = until(launched, "the run of the backfill", going=taken_up)
    ended = until(lambda: site.ended(number), "the end of the backfill", going=lambda: site.works_on(number))
    assert ended == "SUCCESS"
    assert len(site.runs()) == 2
    page.goto(f"{site.url}/assets/ut/sales_order?view=partitions")
    expect(page.get_by_text("Materialized (8)").first).to_be_visible()
    page.get_by_text(days[0].isoformat(), exact=True).first.click()
    expect(page.get_by_text("дозагрузка").first).to_be_visible()

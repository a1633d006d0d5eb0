"""A running installation for the tests of this folder: a base, a hub kept up by `obmen up`, a store of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from hub.instance import dagster_home, write_config
from stand.onec.server import OneCStand
from tests.e2e.site import PASSWORD, USER, VARIABLE, Site
from tests.exchange.conftest import small_world

STORE_VARIABLE = "OBMEN_E2E_STORE_PASSWORD"
#: The same dagster.yaml with shorter waits, so that a test is not spent on them. What is replaced must stand there.
QUICKER = {
    "class: HubRunLauncher}": "class: HubRunLauncher, config: {misses: 2, grace_seconds: 5}}",
    "poll_interval_seconds: 15": "poll_interval_seconds: 2",
    "free_slots_after_run_end_seconds: 15": "free_slots_after_run_end_seconds: 2",
}


def use_store(site: Site, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``url`` the store of the site; a password in it goes to the environment, where settings want it."""
    parsed = make_url(url)
    lines = [f"store_url: {parsed.set(password=None).render_as_string()}"]
    if parsed.password:
        monkeypatch.setenv(STORE_VARIABLE, str(parsed.password))
        lines.append(f"store_password: {{env: {STORE_VARIABLE}}}")
    path = site.home / "hub.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")


def hurry(home: Path) -> None:
    """Shorten the waits of Dagster's run monitoring; obmen leaves an edited file alone."""
    folder = dagster_home(home)
    folder.mkdir(parents=True)
    write_config(folder)
    path = folder / "dagster.yaml"
    text = path.read_text(encoding="utf-8")
    for shipped, quicker in QUICKER.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, quicker)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def quick_site(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """150 clients, 500 orders, pages of 20, ``store_url`` as the store, short waits; up, and ended afterwards."""
    monkeypatch.setenv(VARIABLE, PASSWORD)
    world = small_world()
    with OneCStand(world, user=USER, password=PASSWORD) as stand:
        site = Site(tmp_path / "home", world, stand)
        site.write_settings()
        settings = site.home / "hub.yaml"
        text = settings.read_text(encoding="utf-8")
        assert text.count("page_size: 50") == 1
        settings.write_text(text.replace("page_size: 50", "page_size: 20"), encoding="utf-8")
        use_store(site, store_url, monkeypatch)
        hurry(site.home)
        try:
            site.start()
            yield site
        finally:
            site.stop()

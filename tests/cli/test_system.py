"""``obmen system`` and ``obmen exchange --changes``: the same services as the jobs in the UI."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.exchange import went_back
from hub.exchange.hub import Hub
from hub.model.errors import StopSystem
from tests.cli.conftest import Obmen
from tests.dagster.base import opener, small_base, write_home


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home over a small base in memory."""
    small_base("system")
    home = write_home(tmp_path / "site", "system")
    monkeypatch.setattr("hub.exchange.hub.open_connector", opener)
    monkeypatch.setattr(Hub.open.__func__, "__defaults__", (opener,))  # type: ignore[attr-defined]
    return home


def test_a_stopped_system_is_shown_and_decided(obmen: Obmen, site: Path) -> None:
    """Status and exchange say what is wrong and what to type; the decision lets the exchange go on."""
    assert obmen("exchange", "--home", str(site)).code == 0
    with Hub.open(site, opener) as hub, pytest.raises(StopSystem):
        went_back.stop(hub, "ut", "back_version", {"stream": "Catalog_X", "number": 1, "of": 8})
    refused = obmen("exchange", "--changes", "--home", str(site))
    assert refused.code == 1
    assert "obmen system ut restored" in refused.out
    status = obmen("status", "--home", str(site), "--lang", "en")
    assert "gone back in time" in status.out
    assert "versions that they had before" in status.out
    checked = obmen("check", "--home", str(site))
    assert checked.code == 1
    assert "obmen system ut restored" in checked.out
    asked = obmen("system", "ut", "--home", str(site), "--lang", "en")
    assert "1 of 8" in asked.out
    assert "obmen system ut copy" in asked.out
    shown = obmen("system", "ut", "--json", "--home", str(site))
    assert (shown.code, shown.document["result"]["state"]) == (1, "went_back")
    assert shown.document["result"]["why"]["evidence"] == "back_version"
    decided = obmen("system", "ut", "go-on", "--home", str(site))
    assert decided.code == 0
    assert obmen("exchange", "--changes", "--home", str(site)).code == 0


def test_a_wrong_word_and_a_wrong_name_are_refused(obmen: Obmen, site: Path) -> None:
    """A decision that is none and a system that is none: a sentence with the valid ones, exit code 2."""
    wrong = obmen("system", "ut", "perhaps", "--home", str(site))
    assert wrong.code == 2
    assert "restored, copy, go-on" in wrong.err
    unknown = obmen("exchange", "--changes", "ut.party", "--home", str(site))
    assert unknown.code == 2
    assert "ut" in unknown.err

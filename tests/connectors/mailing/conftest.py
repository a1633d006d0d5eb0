"""What tests of mailing lists ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings import profile
from tests.connectors.installed import interpreter
from tests.connectors.mailing.mailman import NO_MAILMAN, MailmanServer
from tests.connectors.mailing.world import PROFILES


@pytest.fixture(scope="session")
def mailman() -> Iterator[MailmanServer]:
    """A running Mailman, where there is one."""
    python = interpreter("OBMEN_MAILMAN_PYTHON", "mailman")
    if python is None:
        pytest.skip(NO_MAILMAN)
    server = MailmanServer.start(python)
    yield server
    server.stop()


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Clients come by a small profile of these tests, subscriptions by the one that is shipped."""
    folder = tmp_path / "profiles"
    shutil.copytree(PROFILES, folder)
    shutil.copytree(profile.ROOT / "mailing", folder / "mailing")
    monkeypatch.setattr(profile, "ROOT", folder)
    return folder

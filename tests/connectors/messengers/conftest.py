"""What tests of messengers ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.installed import interpreter
from tests.connectors.messengers.fake_telegram import FakeTelegram, telegram
from tests.connectors.messengers.synapse import NO_SYNAPSE, Synapse


@pytest.fixture
def bot() -> Iterator[FakeTelegram]:
    """A bot that nobody has written to."""
    with telegram() as fake:
        yield fake


@pytest.fixture(scope="session")
def synapse() -> Iterator[Synapse]:
    """A running Matrix server, where there is one."""
    python = interpreter("OBMEN_SYNAPSE_PYTHON", "synapse_homeserver")
    if python is None:
        pytest.skip(NO_SYNAPSE)
    server = Synapse.start(python)
    yield server
    server.stop()

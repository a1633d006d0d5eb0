"""What tests of mailing lists ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.mailing.mailman import NO_MAILMAN, MailmanServer, interpreter


@pytest.fixture(scope="session")
def mailman() -> Iterator[MailmanServer]:
    """A running Mailman, where there is one."""
    python = interpreter()
    if python is None:
        pytest.skip(NO_MAILMAN)
    server = MailmanServer.start(python)
    yield server
    server.stop()

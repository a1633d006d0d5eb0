"""Servers of the tests of mailboxes: a Dovecot for the session, a stand for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.connectors.imap import dovecot
from tests.connectors.imap.boxes import Box, stand_box
from tests.connectors.imap.oauth import OAuth

_accounts = itertools.count(1)


@pytest.fixture(scope="session")
def oauth() -> Iterator[OAuth]:
    """Gives access tokens, and tells Dovecot which are good."""
    with OAuth() as running:
        yield running


@pytest.fixture(scope="session")
def server(oauth: OAuth) -> Iterator[dovecot.Dovecot]:
    """A running Dovecot; skips where there is none."""
    if not dovecot.installed():
        pytest.skip(dovecot.NO_DOVECOT)
    running = dovecot.Dovecot(oauth.port)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def on_dovecot(server: dovecot.Dovecot) -> Iterator[Box]:
    """A new mailbox on Dovecot."""
    made = Box(f"me{next(_accounts)}@own.example", server.port, dovecot.PASSWORD, dovecot=server)
    yield made
    made.close()


@pytest.fixture
def on_stand() -> Iterator[Box]:
    """A new mailbox on the stand."""
    stand, (made,) = stand_box("me@own.example")
    yield made
    made.close()
    stand.stop()


@pytest.fixture(params=["dovecot", "stand"])
def box(request: pytest.FixtureRequest) -> Box:
    """A new mailbox, on each server in turn."""
    made: Box = request.getfixturevalue(f"on_{request.param}")
    return made


@pytest.fixture
def another(server: dovecot.Dovecot) -> Iterator[Callable[[], Box]]:
    """More mailboxes on Dovecot."""
    made: list[Box] = []

    def make() -> Box:
        made.append(Box(f"me{next(_accounts)}@own.example", server.port, dovecot.PASSWORD, dovecot=server))
        return made[-1]

    yield make
    for one in made:
        one.close()

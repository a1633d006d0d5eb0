"""Servers of calendars, each started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.calendars.servers import NAMES, DavServer, running


@pytest.fixture(scope="session")
def radicale() -> Iterator[DavServer]:
    """Radicale."""
    with running("radicale") as server:
        yield server


@pytest.fixture(scope="session")
def xandikos() -> Iterator[DavServer]:
    """Xandikos."""
    with running("xandikos") as server:
        yield server


@pytest.fixture(params=NAMES)
def dav(request: pytest.FixtureRequest) -> DavServer:
    """Either of them."""
    found: DavServer = request.getfixturevalue(request.param)
    return found

"""Stands for tests: one that is only read, shared by the session, and a small one that a test may spoil."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from tests.stand.client import Client


@pytest.fixture(scope="session")
def shared() -> Iterator[OneCStand]:
    """A base of a thousand orders; no test changes it."""
    with OneCStand(build(1, clients=150, products=120, orders=1000)) as stand:
        yield stand


@pytest.fixture(scope="session")
def odata(shared: OneCStand) -> Iterator[Client]:
    """A client of the shared stand."""
    with Client(shared) as client:
        yield client


@pytest.fixture(scope="session", params=["ut", "unf", "bp"])
def shape(request: pytest.FixtureRequest) -> Iterator[OneCStand]:
    """The same business in each of the three configurations; no test changes it."""
    with OneCStand(build(1, clients=60, products=60, orders=300, configuration=request.param)) as stand:
        yield stand


@pytest.fixture(scope="session")
def unf() -> Iterator[OneCStand]:
    """A УНФ base; no test changes it."""
    with OneCStand(build(1, clients=60, products=60, orders=300, configuration="unf")) as stand:
        yield stand


@pytest.fixture(scope="session")
def bp() -> Iterator[OneCStand]:
    """A БП base; no test changes it."""
    with OneCStand(build(1, clients=60, products=60, orders=300, configuration="bp")) as stand:
        yield stand


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    """A small base of the test's own."""
    with OneCStand(build(2, clients=20, products=30, orders=60), control=True) as own:
        yield own


@pytest.fixture
def own(stand: OneCStand) -> Iterator[Client]:
    """A client of the small stand."""
    with Client(stand) as client:
        yield client

"""What tests of cloud exchanges ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.connectors.cloud_pbx.base import Account, account


@pytest.fixture
def at() -> Iterator[Callable[[str], Account]]:
    """Open an account on the fake of a service: ``at("mango")``."""
    with ExitStack() as stack:
        yield lambda service: account(stack, service)

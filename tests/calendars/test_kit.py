"""The connector of kind ``caldav`` is certified, on Radicale and on Xandikos."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.certify.kit import Kit
from connectors.certify.subject import Subject
from tests.calendars.servers import DavServer, between
from tests.calendars.subjects import OnDav


class TestCalDavOnRadicale(Kit):
    """Radicale: a delta tells the kind of each resource, an expired token is 403."""

    subject_type = OnDav

    @pytest.fixture
    def subject(self, radicale: DavServer) -> Iterator[Subject]:
        """A calendar of the test's own."""
        with between(radicale) as way:
            made = OnDav(way)
            yield made
            made.close()


class TestCalDavOnXandikos(Kit):
    """Xandikos: a delta tells no kinds, an expired token is 412."""

    subject_type = OnDav

    @pytest.fixture
    def subject(self, xandikos: DavServer) -> Iterator[Subject]:
        """A calendar of the test's own."""
        with between(xandikos) as way:
            made = OnDav(way)
            yield made
            made.close()

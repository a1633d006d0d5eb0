"""The connector of kind ``imap`` is certified, on Dovecot and on the stand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.certify.kit import Kit
from connectors.certify.subject import Subject
from tests.connectors.imap import on_boxes
from tests.connectors.imap.dovecot import Dovecot


class TestImapOnDovecot(Kit):
    """A real server with CONDSTORE, QRESYNC and LIST-STATUS."""

    subject_type = on_boxes.OnBox

    @pytest.fixture
    def subject(self, server: Dovecot) -> Iterator[Subject]:
        """An account of the test's own."""
        made = on_boxes.on_dovecot(server)
        yield made
        made.close()


class TestImapOnTheStand(Kit):
    """A plain IMAP4rev1 server."""

    subject_type = on_boxes.OnBox

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """A server of the test's own."""
        made, stop = on_boxes.on_stand()
        yield made
        made.close()
        stop()

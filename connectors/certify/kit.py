"""The class of tests that certifies a connector.

An author derives one class from it and names the subject; pytest does the rest::

    class TestAcme(Kit):
        subject_type = Acme
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from connectors.base import Connector
from connectors.certify.needs import lacking, leave_out
from connectors.certify.points.basics import Basics
from connectors.certify.points.changes import Changes
from connectors.certify.points.cursors import Cursors
from connectors.certify.points.deletes import Deletes
from connectors.certify.points.errors import Errors
from connectors.certify.points.faults import Faults
from connectors.certify.points.lookups import Lookups
from connectors.certify.points.paging import Paging
from connectors.certify.points.readback import ReadBack
from connectors.certify.points.totals import Totals
from connectors.certify.points.versions import Versions
from connectors.certify.points.windows import Windows
from connectors.certify.subject import Subject

#: The tests of each point, by its name.
POINTS: dict[str, type] = {
    "basics": Basics,
    "paging": Paging,
    "cursors": Cursors,
    "windows": Windows,
    "totals": Totals,
    "lookups": Lookups,
    "versions": Versions,
    "changes": Changes,
    "deletes": Deletes,
    "errors": Errors,
    "readback": ReadBack,
    "faults": Faults,
}


class Foundation:
    """What tests of any point stand on.

    ``subject_type``: what stands behind the connector, made without arguments. A subject that needs more than that is
    given by overriding the fixture ``subject``; ``subject_type`` is still its class.
    """

    subject_type: ClassVar[type[Subject]]

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        """The source of this test."""
        made = self.subject_type()
        yield made
        made.close()

    @pytest.fixture
    def connector(self, subject: Subject) -> Connector:
        """A connector of the test's own; the subject closes it."""
        return subject.open()

    @pytest.fixture(autouse=True)
    def _able(self, request: pytest.FixtureRequest, connector: Connector, subject: Subject) -> None:
        """Skip, with a sentence, what this connector or this subject cannot do."""
        for sentence in lacking(request.function, connector, subject):
            leave_out(sentence)


class Kit(
    Foundation,
    Basics,
    Paging,
    Cursors,
    Windows,
    Totals,
    Lookups,
    Versions,
    Changes,
    Deletes,
    Errors,
    ReadBack,
    Faults,
):
    """What any connector owes the exchange, point by point."""

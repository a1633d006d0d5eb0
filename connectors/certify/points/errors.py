"""Errors: what is wrong is named, by the class that tells the caller what to do, with a sentence and an advice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connectors.base import Change, Connector
from connectors.certify.needs import leave_out, needs
from connectors.certify.reading import told
from connectors.certify.subject import NOBODY, Changing, Subject
from hub.model.errors import NeedsPerson, StopRoute
from hub.model.records import Window
from hub.texts import LANGS


class Errors:
    """What is raised for a wrong question."""

    @pytest.mark.parametrize("code", ["unknown_set", "unknown_field"])
    def test_what_is_not_there_is_named(self, connector: Connector, subject: Subject, code: str) -> None:
        """A stream or field that the system does not have stops the route and is named, with an advice."""
        wrong = replace(subject.catalog, fields=("НетТакогоПоля",))
        if code == "unknown_set":
            wrong = replace(subject.catalog, stream="Catalog_НетТакого")
        with pytest.raises(StopRoute) as error:
            list(connector.read(wrong.request()))
        assert error.value.code == code
        assert told(error.value)
        assert all("НетТакого" in error.value.sentence(lang) for lang in LANGS)

    def test_a_count_of_nothing_is_an_error(self, connector: Connector, subject: Subject) -> None:
        """Records of a stream that is not there are not zero."""
        with pytest.raises(StopRoute) as error:
            connector.count(replace(subject.catalog, stream="Catalog_НетТакого").request())
        assert error.value.code == "unknown_set"

    @needs("changes_feed", Changing)
    def test_an_unknown_node_is_a_mistake_of_the_settings(self, connector: Connector, subject: Subject) -> None:
        """Never "begin at 1": the error lists the nodes there are."""
        with pytest.raises(NeedsPerson) as error:
            connector.feed(subject.no_node)
        assert error.value.code == "node_unknown"
        assert error.value.params["valid"]
        assert told(error.value)

    def test_a_connector_without_a_feed_says_so(self, connector: Connector) -> None:
        """Asked for a change feed that the system does not keep, it stops the route with an advice."""
        if connector.capabilities.changes_feed:
            leave_out("there is nothing to refuse: the connector has a change feed")
        with pytest.raises(StopRoute) as error:
            connector.feed("")
        assert error.value.code == "no_feed"
        assert told(error.value)
        with pytest.raises(StopRoute) as error:
            connector.acknowledge("", 1)
        assert error.value.code == "no_feed"

    def test_a_connector_without_totals_says_so(self, connector: Connector, subject: Subject) -> None:
        """Asked for sums of records that have none, it stops the route with an advice."""
        if connector.capabilities.totals:
            leave_out("there is nothing to refuse: the connector gives totals")
        window = Window(date(2026, 1, 1), date(2026, 1, 2))
        with pytest.raises(StopRoute) as error:
            connector.totals(subject.catalog.stream, "date", "sum", window)
        assert error.value.code == "no_totals"
        assert told(error.value)

    def test_a_connector_that_cannot_write_says_so(self, connector: Connector, subject: Subject) -> None:
        """Writing where nothing can be written stops the route before anything is sent."""
        if connector.capabilities.write:
            leave_out("there is nothing to refuse: the connector writes")
        with pytest.raises(StopRoute) as error:
            list(connector.write(subject.catalog.stream, [Change(NOBODY, {}, create=True)]))
        assert error.value.code == "read_only"
        assert told(error.value)
        assert connector.traffic.writes == 0

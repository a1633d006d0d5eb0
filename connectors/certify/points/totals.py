"""Totals: the source's own counts and sums, exact."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from connectors.base import Connector, DayTotal
from connectors.certify.needs import needs
from connectors.certify.reading import NOWHEN, days, decoded
from connectors.certify.subject import Subject
from hub.model.records import Window


class Totals:
    """What a reconciliation goes by."""

    def test_the_count_is_what_a_read_delivers(self, connector: Connector, subject: Subject) -> None:
        """The source's own word agrees with what is there, whatever the size of pages."""
        for known in (subject.catalog, subject.dated):
            assert connector.count(known.request(page_size=5)) == len(known.ids)

    @needs("totals")
    def test_totals_are_exact_sums_by_local_day(self, connector: Connector, subject: Subject) -> None:
        """Count and hundredths per day, ordered, days without documents left out, nothing outside the window."""
        known = subject.dated
        dated = days(connector, known)
        window = Window(dated[0], dated[-1])
        expected: dict[date, list[int]] = defaultdict(list)
        for record in decoded(connector.read(known.request())):
            amount = Decimal(str(record[known.total_field] or 0)).scaleb(2).to_integral_value(ROUND_HALF_UP)
            expected[date.fromisoformat(record[known.date_field][:10])].append(int(amount))
        del expected[dated[-1]]
        found = connector.totals(known.stream, known.date_field, known.total_field, window)
        assert found == [DayTotal(day, len(sums), sum(sums)) for day, sums in sorted(expected.items())]

    @needs("totals")
    def test_totals_are_whole_numbers(self, connector: Connector, subject: Subject) -> None:
        """Money is hundredths as an ``int``: a float that happens to be equal today is not equal tomorrow."""
        known = subject.dated
        dated = days(connector, known)
        found = connector.totals(known.stream, known.date_field, known.total_field, Window(dated[0], dated[-1]))
        assert {(type(day.count), type(day.total)) for day in found} == {(int, int)}

    @needs("totals")
    def test_no_documents_are_no_days(self, connector: Connector, subject: Subject) -> None:
        """A window without documents gives an empty list, not a zero."""
        known = subject.dated
        assert connector.totals(known.stream, known.date_field, known.total_field, NOWHEN) == []

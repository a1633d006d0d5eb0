"""Windows: half-open ranges of days that meet without a gap and without an overlap."""

from __future__ import annotations

from datetime import date, timedelta

from connectors.base import Connector
from connectors.certify.needs import needs
from connectors.certify.reading import NOWHEN, days, decoded, ids
from connectors.certify.subject import Subject
from hub.model.records import Window


class Windows:
    """What is read of a range of days."""

    @needs("windows")
    def test_windows_are_half_open(self, connector: Connector, subject: Subject) -> None:
        """Adjacent windows share no record and leave none out; the end of a window belongs to the next."""
        known = subject.dated
        dated = days(connector, known)
        middle, end = dated[len(dated) // 2], dated[-1] + timedelta(days=1)
        parts = []
        for window in (Window(dated[0], middle), Window(middle, end)):
            records = decoded(connector.read(known.request(window=window)))
            found = [date.fromisoformat(record[known.date_field][:10]) for record in records]
            assert found
            assert all(window.start <= day < window.end for day in found)
            parts += [record[known.key[0]] for record in records]
        assert sorted(parts) == sorted(record[known.key[0]] for record in decoded(connector.read(known.request())))

    @needs("windows")
    def test_a_window_is_counted_as_it_is_read(self, connector: Connector, subject: Subject) -> None:
        """The source's own count of one day is the number of its records."""
        known = subject.dated
        day = days(connector, known)[0]
        request = known.request(window=Window(day, day + timedelta(days=1)))
        assert connector.count(request) == len(decoded(connector.read(request))) > 0

    @needs("windows")
    def test_an_open_window_is_no_window(self, connector: Connector, subject: Subject) -> None:
        """The first and the last day of the calendar mean from the beginning and to the end."""
        known = subject.dated
        window = Window(date.min, date(9999, 1, 1))
        assert ids(known, connector.read(known.request(window=window))) == ids(known, connector.read(known.request()))

    @needs("windows")
    def test_an_empty_stream_is_one_empty_last_page(self, connector: Connector, subject: Subject) -> None:
        """Nothing to read is an answer of its own, not silence."""
        pages = list(connector.read(subject.dated.request(window=NOWHEN)))
        assert [(len(page.records), page.last) for page in pages] == [(0, True)]
        assert connector.count(subject.dated.request(window=NOWHEN)) == 0

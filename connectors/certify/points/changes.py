"""Changes: the feed of what changed, acknowledged after the commit, and reading what changed since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Connector
from connectors.certify.needs import leave_out, needs
from connectors.certify.reading import decoded, ids, of_stream, only_the_last_is_last
from connectors.certify.subject import Changing, Known, Subject

NEVER = "9999-01-01T00:00:00"


class Changes:
    """What is new."""

    @needs("changes_feed", Changing)
    def test_a_quiet_feed_is_no_packet(self, connector: Connector, subject: Changing) -> None:
        """Nothing registered: nothing to commit, nothing to acknowledge."""
        assert connector.feed(subject.node) is None

    @needs("changes_feed", Changing)
    def test_a_packet_comes_until_it_is_acknowledged(self, connector: Connector, subject: Changing) -> None:
        """A run that dies before its commit loses nothing: the packet comes again, and is gone once acknowledged."""
        known, changed = subject.catalog, sorted(subject.catalog.ids)[:2]
        for key in changed:
            subject.edit(known.stream, key)
        first, again = connector.feed(subject.node), subject.open().feed(subject.node)
        for packet in (first, again):
            assert sorted(ids(known, of_stream(known, packet))) == changed
        assert first is not None
        assert again is not None
        assert first.number == again.number
        assert only_the_last_is_last(first.pages)
        writes = connector.traffic.writes
        connector.acknowledge(subject.node, first.number)
        assert connector.traffic.writes == writes + 1
        assert connector.feed(subject.node) is None

    @needs("changes_feed", Changing)
    def test_what_changes_after_the_packet_comes_in_the_next(self, connector: Connector, subject: Changing) -> None:
        """Acknowledging a packet forgets nothing that changed since it was made."""
        known = subject.catalog
        one, two = sorted(known.ids)[:2]
        subject.edit(known.stream, one)
        first = connector.feed(subject.node)
        assert first is not None
        subject.edit(known.stream, two)
        connector.acknowledge(subject.node, first.number)
        second = connector.feed(subject.node)
        assert ids(known, of_stream(known, second)) == [two]
        assert second is not None
        assert second.number > first.number

    @needs("changes_feed", Changing)
    def test_what_was_sent_and_changed_again_comes_again(self, connector: Connector, subject: Changing) -> None:
        """A record edited between its packet and the acknowledgement is not taken for delivered."""
        known = subject.catalog
        key = min(known.ids)
        subject.edit(known.stream, key)
        first = connector.feed(subject.node)
        assert first is not None
        subject.edit(known.stream, key)
        connector.acknowledge(subject.node, first.number)
        assert ids(known, of_stream(known, connector.feed(subject.node))) == [key]

    @pytest.mark.parametrize("size", [3, 1000])
    def test_what_changed_since_is_read(self, connector: Connector, subject: Subject, size: int) -> None:
        """Records changed at that moment or later, all of them and no others; the count agrees."""
        for known in changed_at(subject):
            request = replace(known.request(page_size=size), fields=(*known.fields, known.changed))
            moments = {key: str(value) for key, value in moments_of(connector, known).items()}
            since = sorted(moments.values())[len(moments) // 2]
            asked = replace(request, changed_field=known.changed, since=since)
            pages = list(connector.read(asked))
            assert sorted(ids(known, pages)) == sorted(key for key, moment in moments.items() if moment >= since)
            assert only_the_last_is_last(pages)
            assert connector.count(asked) == len(ids(known, pages)) > 0

    def test_no_moment_is_no_bound(self, connector: Connector, subject: Subject) -> None:
        """``since`` empty reads everything, a moment that has not come reads one empty last page."""
        for known in changed_at(subject):
            asked = replace(known.request(), changed_field=known.changed)
            assert sorted(ids(known, connector.read(asked))) == sorted(ids(known, connector.read(known.request())))
            pages = list(connector.read(replace(asked, since=NEVER)))
            assert [(len(page.records), page.last) for page in pages] == [(0, True)]

    def test_a_read_of_changes_goes_on_from_its_position(self, connector: Connector, subject: Subject) -> None:
        """Broken off after a page, the rest of the changes and nothing else is read by another connector."""
        for known in changed_at(subject):
            moments = moments_of(connector, known)
            since = sorted(map(str, moments.values()))[len(moments) // 4]
            asked = replace(known.request(page_size=4), changed_field=known.changed, since=since)
            pages = list(connector.read(asked))
            rest = list(subject.open().read(replace(asked, position=pages[0].position)))
            assert ids(known, [pages[0], *rest]) == ids(known, pages)


def changed_at(subject: Subject) -> list[Known]:
    """The streams whose records tell when they were changed."""
    found = [known for known in (subject.catalog, subject.dated) if known.changed]
    if not found:
        leave_out("the subject names no field that tells when a record was changed (Known.changed)")
    return found


def moments_of(connector: Connector, known: Known) -> dict[str, str]:
    """When each record was changed, by external id, out of a plain read."""
    request = replace(known.request(), fields=(*known.fields, known.changed))
    return {"|".join(str(r[n]) for n in known.key): r[known.changed] for r in decoded(connector.read(request))}

"""Asking a mailbox, an exchange or a calendar whether there is anything new."""

from __future__ import annotations

from typing import Any

from hub.exchange.news import anything_new
from tests.exchange.comms.world import Firm, History


def test_a_source_that_can_tell_is_asked_by_its_place(firm: Firm) -> None:
    """Nothing new: no. A letter: yes, and the same mark until it is read. A base that cannot tell is read each time."""
    connector = firm.hub.connector("post")
    assert isinstance(connector, History)
    first = [anything_new(firm.hub, "post", turn) for turn in (1, 2)]
    assert [one.there for one in first] == [True, True]
    assert first[0].mark != first[1].mark

    def told(stream: str, position: dict[str, Any]) -> bool:
        return any(name == stream for name, _ in connector.journal[position["n"] :])

    connector.anything_new = told  # type: ignore[attr-defined]
    assert not anything_new(firm.hub, "post", 3).there
    firm.letter("1", "who@gmail.com", "sales@firm.ru")
    asked = [anything_new(firm.hub, "post", turn) for turn in (4, 5)]
    assert (asked[0].there, asked[0].mark) == (True, asked[1].mark)
    firm.night()
    assert not anything_new(firm.hub, "post", 6).there

"""Letters hang together by what they name, in whatever order they come."""

from __future__ import annotations

from typing import Any

import pytest

from hub.exchange.comms.reading import Event, Mail
from hub.exchange.comms.threads import keys_of, subject_of
from tests.exchange.comms.world import Firm

DAY = 24 * 60


def letter(subject: str = "", **mail: str) -> Event:
    """A letter by itself."""
    at = "2026-11-01 10:00:00"
    return Event(1, "email", "inbound", subject, at, "held", None, None, "", "", False, [], Mail(**mail))


def test_a_late_parent_joins_its_children(firm: Firm) -> None:
    """Two answers to a letter that is not here yet are one thread already; it joins them when it comes, and a fork
    of two threads that a later letter names both becomes one.
    """
    firm.letter("a", "ivan@romashka.ru", "sales@firm.ru", in_reply_to="<root@x>", minutes=1)
    firm.letter("b", "petr@romashka.ru", "sales@firm.ru", references="<root@x>", minutes=2)
    firm.letter("other", "ivan@romashka.ru", "sales@firm.ru", minutes=3)
    firm.night()
    assert firm.thread("post", "a") == firm.thread("post", "b") != firm.thread("post", "other")
    firm.letter("root", "ivan@romashka.ru", "sales@firm.ru")
    firm.letter("both", "ivan@romashka.ru", "sales@firm.ru", references="<b@x> <other@x>", minutes=9)
    firm.night()
    assert len({firm.thread("post", key) for key in ("a", "b", "root", "other", "both")}) == 1


def test_an_answer_without_a_name_goes_by_its_subject(firm: Firm) -> None:
    """The same correspondent, the same subject, less than 30 days apart; another's, or no answer, is not."""
    mine: dict[str, Any] = {"subject": "Счёт  на оплату"}
    firm.letter("first", "sales@firm.ru", "ivan@romashka.ru", direction="outbound", minutes=-60 * DAY, **mine)
    firm.letter("new", "sales@firm.ru", "ivan@romashka.ru", direction="outbound", **mine)
    firm.letter("alien", "anna@lutik.ru", "sales@firm.ru", subject="Re: Счёт на оплату", minutes=1)
    firm.night()
    firm.letter("answer", "ivan@romashka.ru", "sales@firm.ru", subject="RE: Отв[2]: счёт на оплату", minutes=2)
    firm.night()
    threads = [firm.thread("post", key) for key in ("first", "new", "alien", "answer")]
    assert threads[1] == threads[3]
    assert len(set(threads)) == 3


def test_a_short_answer_that_came_first_is_joined_later(firm: Firm) -> None:
    """The answer is here before what it answers: they meet all the same."""
    firm.letter("answer", "ivan@romashka.ru", "sales@firm.ru", subject="Re: Цены", minutes=5)
    firm.night()
    firm.letter("question", "sales@firm.ru", "ivan@romashka.ru", subject="Цены", direction="outbound")
    firm.night()
    assert firm.thread("post", "answer") == firm.thread("post", "question")


@pytest.mark.parametrize(
    ("mail", "number"),
    [
        ({"message_id": "<a@x>"}, 1),
        ({"message_id": "a@x", "in_reply_to": "<b@x> (от 1 мая)", "references": "<a@x>\r\n\t<c@x>,<b@x>"}, 3),
        ({"message_id": "", "references": "none <>"}, 0),
    ],
)
def test_names_of_letters_are_found_in_any_spelling(mail: dict[str, str], number: int) -> None:
    """With brackets or without, folded, with commas, with a remark; what is no Message-ID names nothing."""
    assert len(keys_of(letter(**mail))) == number


@pytest.mark.parametrize("subject", ["Re: Цены", "RE[3]: fwd:  цены ", "Отв: Цены", "Ответ: Re: ЦЕНЫ"])
def test_an_answer_has_the_subject_of_what_it_answers(subject: str) -> None:
    """Marks of answers and forwards in both languages fall away; the hash is odd for an answer that names no letter."""
    plain, answer = subject_of(letter("цены"), "a@b"), subject_of(letter(subject), "a@b")
    assert plain is not None
    assert answer == plain | 1
    assert subject_of(letter(subject, in_reply_to="<q@x>"), "a@b") == plain
    assert subject_of(letter("Re: "), "a@b") is None
    assert subject_of(letter("цены"), "c@d") != plain

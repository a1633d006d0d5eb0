"""Lists of a real GNU Mailman: who is on them, who is put on them, and who is left alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from connectors.base import Change, ReadRequest, WriteResult
from connectors.certify.reading import decoded
from connectors.mailing import mailman as service
from connectors.mailing.connector import Mailing
from hub.model.errors import NeedsPerson, RetryLater, StopRoute
from hub.model.mailaddress import mail_handle
from tests.connectors.mailing.mailman import MailmanServer
from tests.connectors.mailing.opening import on_mailman
from tests.connectors.messengers.way import Way, way_to
from tests.connectors.server import Reply

READ = ReadRequest("members", key=("id",))
_PAGE = service.Mailman._page


class News:
    """A list of the test's own, and a connector to it along a way that may fail."""

    def __init__(self, server: MailmanServer, way: Way) -> None:
        self.server, self.way, self.id = server, way, server.list()
        self.connector: Mailing = on_mailman(f"{way.url}/3.1", self.id)

    def write(
        self, email: str, *, create: bool = False, status: str = "subscribed", again: bool = False
    ) -> WriteResult:
        """Ask for a status; a creation under a reserved key, as the exchange does."""
        fields = {"list": self.id, "email": email, "status": status} if create else {"status": status}
        key = self.connector.place("members", Change(str(uuid.uuid4()), fields)) if create else f"{self.id}|{email}"
        change = Change(key, fields, create=create, look_first=again)
        (result,) = self.connector.write("members", [change])
        return result

    @property
    def members(self) -> set[str]:
        """Who is on it, past the connector."""
        return self.server.members(self.id)

    def requests(self, method: str) -> int:
        """How many of a method went to members."""
        assert self.way.scripted is not None
        told = [one for one in self.way.scripted.requests if one.method == method]
        return sum(one.raw.endswith("/members") or "/members/" in one.raw for one in told if "find" not in one.raw)


@pytest.fixture
def news(mailman: MailmanServer) -> Iterator[News]:
    """Made anew for each test."""
    with way_to(mailman.port, {}) as way:
        made = News(mailman, way)
        yield made
        made.connector.close()
        mailman.ask("DELETE", f"/lists/{made.id}")


def told(result: WriteResult) -> tuple[str, str]:
    """What became of it, and why not."""
    return result.became, result.error.code if result.error else ""


def test_who_is_on_a_list(news: News) -> None:
    """Each address once, in lower case, with a version; the other lists are not asked for."""
    news.server.subscribe(news.id, "Boris@Example.ru")
    news.server.subscribe(news.id, "anna@example.ru")
    news.server.subscribe(news.server.list("other"), "nobody@example.ru")
    found = decoded(news.connector.read(READ))
    assert [(one["id"], one["status"]) for one in found] == [
        (f"{news.id}|anna@example.ru", "subscribed"),
        (f"{news.id}|boris@example.ru", "subscribed"),
    ]
    assert all(one["_version"] for one in found)
    assert news.connector.count(READ) == 2
    assert mail_handle("Boris@Example.ru") == found[1]["email"]


def test_pages_of_a_roster_are_one_roster(news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a page: every address once, by the pages' ``http_etag`` told at one moment."""
    monkeypatch.setattr(service, "COUNT", 3)
    for n in range(8):
        news.server.subscribe(news.id, f"c{n}@example.ru")
    pages = list(news.connector.read(ReadRequest("members", key=("id",), page_size=2)))
    assert [one["email"] for one in decoded(pages)] == [f"c{n}@example.ru" for n in range(8)]
    rest = news.connector.read(ReadRequest("members", key=("id",), page_size=5, position=pages[1].position))
    assert [one["email"] for one in decoded(rest)] == [f"c{n}@example.ru" for n in range(4, 8)]


def test_a_roster_that_changes_while_it_is_read_is_read_again(news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody leaves between two pages, and the rest moves up: nobody is missed; one that never rests is no answer."""
    monkeypatch.setattr(service, "COUNT", 3)
    for n in range(8):
        news.server.subscribe(news.id, f"c{n}@example.ru")
    _between(monkeypatch, [lambda: news.server.unsubscribe(news.id, "c0@example.ru")])
    assert [one["email"] for one in decoded(news.connector.read(READ))] == [f"c{n}@example.ru" for n in range(1, 8)]
    _between(monkeypatch, [partial(news.server.unsubscribe, news.id, f"c{n}@example.ru") for n in range(1, 7)])
    with pytest.raises(RetryLater) as error:
        list(news.connector.read(READ))
    assert error.value.code == "mailing_restless"


def _between(monkeypatch: pytest.MonkeyPatch, acts: list[Callable[[], None]]) -> None:
    """After each first page that is asked for one of these happens."""

    def page(self: Any, list_id: str, number: int, count: int = 3) -> dict[str, Any]:
        found = _PAGE(self, list_id, number, count)
        if number == 1 and acts:
            acts.pop(0)()
        return found

    monkeypatch.setattr(service.Mailman, "_page", page)


def test_who_has_left_is_unsubscribed_and_not_gone(news: News) -> None:
    """Asked for by key: on the list, left, never heard of; many are told from the roster."""
    news.server.subscribe(news.id, "here@example.ru")
    news.server.subscribe(news.id, "left@example.ru")
    news.server.unsubscribe(news.id, "left@example.ru")
    strangers = [f"{news.id}|never{n}@example.ru" for n in range(30)]
    for more in ([strangers[0]], strangers):
        page = news.connector.fetch(READ, [f"{news.id}|{name}@example.ru" for name in ("here", "left")] + more)
        assert [(one["email"], one["status"]) for one in decoded([page])] == [
            ("here@example.ru", "subscribed"),
            ("left@example.ru", "unsubscribed"),
        ]
        assert list(page.deleted) == more


def test_subscribing_and_unsubscribing_is_proven(news: News) -> None:
    """A new address is on the list and read back; ended, it is off it; ended again, nothing is sent."""
    result = news.write("anna@example.ru", create=True)
    assert told(result) == ("written", "")
    assert result.external_id == f"{news.id}|anna@example.ru"
    assert news.members == {"anna@example.ru"}
    assert told(news.write("anna@example.ru", status="unsubscribed")) == ("written", "")
    assert news.members == set()
    before = news.requests("DELETE")
    assert told(news.write("anna@example.ru", status="unsubscribed")) == ("unchanged", "")
    assert news.requests("DELETE") == before


def test_409_on_a_second_subscribe_is_success_by_looking(news: News) -> None:
    """Somebody subscribed the address meanwhile: it is adopted as it is, and no error."""
    news.server.subscribe(news.id, "anna@example.ru")
    result = news.write("anna@example.ru", create=True)
    assert (told(result), news.members) == (("unchanged", ""), {"anna@example.ru"})
    assert news.requests("POST") == 1


def test_unsubscribe_wins_over_whatever_is_asked(news: News) -> None:
    """An address that has left is not subscribed again: not by a change, not by a creation whose answer was lost."""
    news.server.subscribe(news.id, "anna@example.ru")
    news.server.unsubscribe(news.id, "anna@example.ru")
    assert told(news.write("anna@example.ru")) == ("refused", "mailing_unsubscribed")
    assert told(news.write("anna@example.ru", create=True, again=True)) == ("moved", "")
    assert (news.members, news.requests("POST")) == (set(), 0)


def losing(news: News, *before: Callable[[], object], arrives: bool = True) -> None:
    """The answer to the next subscription is lost, with the request unless it ``arrives``; then these happen."""

    def answer(request: Any) -> Reply:
        if request.method != "POST" or not request.raw.endswith("/members"):
            return news.way.answer(request)
        assert news.way.scripted is not None
        news.way.scripted.becomes(news.way.answer)
        if arrives:
            news.way.answer(request)
        for act in before:
            act()
        return Reply(cut=-1)

    assert news.way.scripted is not None
    news.way.scripted.becomes(answer)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_answer_is_settled_by_looking(news: News, arrives: bool) -> None:
    """The request got lost, or its answer: what it did is looked for; asked for again, nobody is subscribed twice."""
    email = f"{uuid.uuid4().hex}@example.ru"
    losing(news, arrives=arrives)
    result = news.write(email, create=True)
    assert told(result) == (("written", "") if arrives else ("unknown", "write_unknown"))
    assert told(news.write(email, create=True, again=True))[0] == ("unchanged" if arrives else "written")
    assert news.members == {email}


def test_in_doubt_nobody_is_subscribed(news: News) -> None:
    """A request that got lost, of an address that the service knows from another list: it may have left meanwhile."""
    email = f"{uuid.uuid4().hex}@example.ru"
    news.server.subscribe(news.server.list("other"), email)
    losing(news, arrives=False)
    assert b'"unsubscribed"' in (news.write(email, create=True).record or b"")
    assert told(news.write(email, create=True, again=True)) == ("moved", "")
    assert news.members == set()


def test_who_left_before_the_lost_answer_was_looked_for_stays_away(news: News) -> None:
    """The story of a crash: we subscribe, the answer is lost, the subscriber leaves at once, and we try again."""
    losing(news, lambda: news.server.unsubscribe(news.id, "anna@example.ru"))
    assert b'"unsubscribed"' in (news.write("anna@example.ru", create=True).record or b"")
    assert told(news.write("anna@example.ru", create=True, again=True)) == ("moved", "")
    assert news.members == set()


def test_what_the_service_refuses_is_that_address_s_alone(news: News) -> None:
    """A ban, and an address that is none: refused by name of the list, without the address, and the others pass."""
    news.server.ban(news.id, "banned@example.ru")
    for email in ("banned@example.ru", "no-address"):
        result = news.write(email, create=True)
        assert told(result) == ("refused", "mailing_refused")
        assert result.error is not None
        assert email not in result.error.sentence()
    assert told(news.write("anna@example.ru", create=True)) == ("written", "")


def test_nothing_but_the_status_is_written(news: News) -> None:
    """An address that changes is another subscription; a creation of somebody who is not to be subscribed is none."""
    news.server.subscribe(news.id, "anna@example.ru")
    key = f"{news.id}|anna@example.ru"
    (result,) = news.connector.write("members", [Change(key, {"email": "other@example.ru"})])
    assert told(result) == ("refused", "field_not_writable")
    assert told(news.write("b@example.ru", create=True, status="unsubscribed")) == ("refused", "mailing_not_wanted")


def test_the_check_names_what_is_wrong(news: News) -> None:
    """A working login names the product; a wrong password, a list that is not there and another service are told."""
    report = news.connector.check()
    assert (report.problems, report.product[:13]) == ([], "GNU Mailman 3")
    wrong = on_mailman(f"{news.way.url}/3.1", news.id, secret="another")
    (problem,) = wrong.check().problems
    assert problem.code == "mailing_login_refused"
    assert "mailman.cfg" in problem.advice()
    (problem,) = on_mailman(f"{news.way.url}/3.1", f"none@{news.id}").check().problems
    assert problem.code == "mailing_list_unknown"
    (problem,) = on_mailman(f"{news.way.url}/3.1/elsewhere").check().problems
    assert problem.code == "service_not_it"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"url": ""}, "service_url_needed"),
        ({"url": "http://lists.example/3.1"}, "service_url_bare"),
        ({"secret": ""}, "mailing_login_missing"),
    ],
)
def test_settings_that_cannot_work_are_told_before_anything_is_sent(more: dict[str, str], code: str) -> None:
    """Each by its own sentence, with what to do, and never with a password."""
    told_ = {"url": "https://lists.example/3.1", **more}
    with pytest.raises(NeedsPerson) as error:
        on_mailman(told_.pop("url"), **told_)
    assert error.value.code == code
    assert error.value.advice()


def test_a_list_that_went_away_ends_no_subscription(news: News) -> None:
    """Somebody deletes the list: the route stops, instead of everybody having left."""
    news.server.ask("DELETE", f"/lists/{news.id}")
    with pytest.raises(StopRoute) as error:
        list(news.connector.read(READ))
    assert error.value.code == "mailing_list_unknown"

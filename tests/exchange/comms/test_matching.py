"""Whose a letter, a call or a meeting is, and by which rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from hub.exchange import pins
from hub.exchange.cards import match
from hub.exchange.cards.desk import CardDesk
from hub.exchange.comms.directory import TOO_MANY
from hub.exchange.comms.follow import follow
from hub.store import comms_tables
from tests.exchange.comms.world import Firm

Make = Callable[..., Firm]


def test_who_has_the_address_has_the_letter(firm: Firm) -> None:
    """An address, and a number in any spelling, is its owner's; whom nobody knows stays among the unmatched."""
    firm.client("romashka", "Ромашка", "Ivan@Romashka.ru", "8 (916) 000-00-01")
    firm.letter("in", "ivan@romashka.ru", "sales@firm.ru")
    firm.letter("out", "sales@firm.ru", "ivan@romashka.ru", direction="outbound")
    firm.letter("stranger", "who@gmail.com", "sales@firm.ru")
    firm.call("call", "+79160000001", "held")
    firm.meeting("meeting", "boss@firm.ru", "ivan@romashka.ru")
    firm.night()
    whole = ("matched", "handle", {("matched", "Ромашка")})
    assert {firm.match("post", key)[0] for key in ("in", "out")} == {"matched"}
    assert firm.match("post", "in") == firm.match("pbx", "call") == firm.match("calendar", "meeting") == whole
    assert firm.match("post", "stranger") == ("unmatched", "nobody", set())


def test_a_person_comes_before_the_company(firm: Firm) -> None:
    """One address on a company and on its contact person: the person; on a company and a lead: the company."""
    firm.client("romashka", "Ромашка", "info@romashka.ru")
    firm.client("ivan", "Иван", "info@romashka.ru", firm="romashka")
    firm.letter("one", "info@romashka.ru", "sales@firm.ru")
    firm.night()
    assert firm.match("post", "one") == ("matched", "handle", {("matched", "Иван")})


def test_people_of_one_company_are_the_company(firm: Firm) -> None:
    """The office number of two people of one company is the company's; with an extension it is the person's."""
    firm.client("romashka", "Ромашка")
    firm.client("ivan", "Иван", "+7 495 111-22-33 доб. 12", firm="romashka")
    firm.client("petr", "Пётр", "+7 495 111-22-33 доб. 15", firm="romashka")
    firm.call("bare", "+74951112233", "held")
    firm.call("twelve", "+74951112233", "held", ext="12", minutes=9)
    firm.night()
    assert firm.match("pbx", "bare") == ("matched", "company", {("matched", "Ромашка")})
    assert firm.match("pbx", "twelve") == ("matched", "handle", {("matched", "Иван")})


def test_several_are_candidates_until_one_has_an_order(firm: Firm) -> None:
    """An address of two companies is ambiguous, both are candidates; an order in work decides, a closed one not."""
    for name in ("Ромашка", "Лютик"):
        firm.client(name, name, "zakaz@mail.ru")
    firm.order("1", "Лютик", "closed")
    firm.letter("one", "zakaz@mail.ru", "sales@firm.ru")
    firm.night()
    both = {("candidate", "Ромашка"), ("candidate", "Лютик")}
    assert firm.match("post", "one") == ("ambiguous", "handle", both)
    firm.order("2", "Лютик")
    firm.night()
    firm.letter("two", "zakaz@mail.ru", "sales@firm.ru", minutes=10)
    firm.night()
    assert firm.match("post", "two") == ("matched", "open_order", {("matched", "Лютик")})


def test_a_thread_decides_between_several(firm: Firm) -> None:
    """Of two who have the address it is the one whom the thread is about; a stranger in it is of that client too."""
    for name in ("Ромашка", "Лютик"):
        firm.client(name, name, "zakaz@mail.ru")
    firm.client("anna", "Анна", "anna@gmail.com", firm="Лютик")
    firm.letter("first", "anna@gmail.com", "sales@firm.ru")
    firm.letter("second", "zakaz@mail.ru", "sales@firm.ru", in_reply_to="<first@x>", minutes=5)
    firm.letter("third", "new@gmail.com", "sales@firm.ru", references="<first@x> <second@x>", minutes=9)
    firm.night()
    assert firm.match("post", "second")[0] == "ambiguous"  # Анна is not the company
    firm.letter("zero", "sales@firm.ru", "lutik@lutik.ru", direction="outbound", minutes=-5)
    firm.letter("fourth", "zakaz@mail.ru", "sales@firm.ru", in_reply_to="<zero@x>", minutes=12)
    firm.client("Лютик", "Лютик", "zakaz@mail.ru", "lutik@lutik.ru")
    firm.night()
    assert firm.match("post", "third") == ("matched", "thread", {("matched", "Анна")})
    assert firm.match("post", "fourth") == ("matched", "thread", {("matched", "Лютик")})


def test_a_domain_is_its_company_s_but_never_everybody_s(firm: Firm) -> None:
    """Whoever writes from a client's domain is the client's; from a public one nobody's; two companies: candidates."""
    firm.client("romashka", "Ромашка", "info@romashka.ru")
    firm.client("mail", "Почтовый", "kto@mail.ru")
    firm.client("anna", "Анна", "anna@lutik.ru", firm="lutik")
    firm.client("lutik", "Лютик")
    for name in ("Дом", "Сад"):
        firm.client(name, name, f"{len(name)}{name == 'Дом'}@holding.ru")
    firm.letter("new", "petr@romashka.ru", "sales@firm.ru")
    firm.letter("other", "drugoi@mail.ru", "sales@firm.ru")
    firm.letter("of_person", "boss@lutik.ru", "sales@firm.ru")
    firm.letter("holding", "x@holding.ru", "sales@firm.ru")
    firm.night()
    assert firm.match("post", "new") == ("matched", "domain", {("matched", "Ромашка")})
    assert firm.match("post", "other") == ("unmatched", "nobody", set())
    assert firm.match("post", "of_person") == ("matched", "domain", {("matched", "Лютик")})
    assert firm.match("post", "holding") == ("ambiguous", "domain", {("candidate", "Дом"), ("candidate", "Сад")})


def test_what_too_many_have_tells_nothing(firm: Firm) -> None:
    """A number on 21 clients is a call centre's: nobody's; on 20 it still names candidates."""
    for number in range(TOO_MANY):
        firm.client(f"c{number}", f"Клиент {number}", "+79160000021", *(["+79160000020"] if number else []))
    firm.call("many", "+79160000021", "held")
    firm.call("fewer", "+79160000020", "held")
    firm.night()
    assert firm.match("pbx", "many") == ("unmatched", "too_many", set())
    assert (firm.match("pbx", "fewer")[0], len(firm.match("pbx", "fewer")[2])) == ("ambiguous", TOO_MANY - 1)


def test_our_own_are_no_clients(make: Make) -> None:
    """Employees, own domains, addresses and numbers, extensions: participants, no clients; a mailbox's domain too."""
    firm = make(own_domains=("firma.com",), own_addresses=("ours@gmail.com",), own_phones=("8-495-000-00-09",))
    firm.client("masha", "Маша", "masha@home.ru", "+79169990000", "102", role="employee")
    firm.client("romashka", "Ромашка", "info@romashka.ru")
    firm.night()
    firm.letter("colleague", "petr@firm.ru", "sales@firm.ru", "masha@home.ru")
    firm.letter("branch", "x@spb.firma.com", "ours@gmail.com", minutes=1)
    firm.letter("mixed", "masha@home.ru", "info@romashka.ru", "boss@partner-mail.ru", minutes=2)
    firm.call("mobile", "+79169990000", "held")
    firm.call("own", "+74950000009", "held", minutes=1)
    firm.call("inside", "+79161234567", direction="internal", minutes=2)
    firm.night()
    assert firm.match("post", "colleague") == ("ignored", "internal", {("employee", "Маша")})
    assert firm.match("post", "branch") == ("ignored", "internal", set())
    assert firm.match("post", "mixed") == ("matched", "handle", {("matched", "Ромашка"), ("employee", "Маша")})
    assert firm.match("pbx", "mobile")[:2] == firm.match("pbx", "own")[:2] == ("ignored", "internal")
    assert firm.match("pbx", "inside")[:2] == ("ignored", "internal")


def test_a_hidden_caller_is_nobody(firm: Firm) -> None:
    """Callers who hide their number are never known and never one; a number that is none waits among the unmatched."""
    firm.client("odd", "Странный", "hidden")
    firm.call("hidden", "hidden", kind="hidden")
    firm.call("short", "7495123456", kind="other", minutes=1)
    firm.night()
    assert firm.match("pbx", "hidden") == ("ignored", "hidden", set())
    assert firm.match("pbx", "short") == ("unmatched", "nobody", set())


def test_contacts_that_come_change_and_go_take_their_letters_along(firm: Firm) -> None:
    """A letter becomes a client's when the address appears there, another's when it moves, nobody's when it goes."""
    firm.letter("one", "ivan@gmail.com", "sales@firm.ru")
    firm.call("two", "+79160000001", "held")
    firm.night()
    firm.client("romashka", "Ромашка", "ivan@gmail.com", "+79160000001")
    firm.night()
    assert firm.match("post", "one") == ("matched", "handle", {("matched", "Ромашка")}) == firm.match("pbx", "two")
    firm.client("romashka", "Ромашка", "+79160000001")
    firm.client("lutik", "Лютик", "ivan@gmail.com")
    firm.night()
    assert firm.match("post", "one") == ("matched", "handle", {("matched", "Лютик")})
    assert firm.match("pbx", "two") == ("matched", "handle", {("matched", "Ромашка")})
    firm.client("lutik", "Лютик")
    firm.night()
    assert firm.match("post", "one") == ("unmatched", "nobody", set())


def test_a_changed_card_whose_contacts_stay_is_not_looked_at(firm: Firm) -> None:
    """A new name of a client rewrites no match; a domain's letters follow when its company gets an address there."""
    firm.client("romashka", "Ромашка", "ivan@gmail.com")
    firm.letter("one", "ivan@gmail.com", "sales@firm.ru")
    firm.letter("two", "petr@romashka.ru", "sales@firm.ru")
    firm.night()
    assert firm.match("post", "two")[0] == "unmatched"
    before = firm.rows(comms_tables.activity_party)
    firm.client("romashka", "Ромашка и Ко", "ivan@gmail.com")
    firm.night()
    assert firm.rows(comms_tables.activity_party) == before
    firm.client("romashka", "Ромашка", "ivan@gmail.com", "info@romashka.ru")
    firm.night()
    assert firm.match("post", "two") == ("matched", "domain", {("matched", "Ромашка")})


def test_a_contact_that_a_person_pins_counts_like_any_other(firm: Firm) -> None:
    """An address set by hand takes the letter along, in the same transaction; taken back, it is nobody's again."""
    firm.client("romashka", "Ромашка")
    firm.letter("one", "ivan@gmail.com", "sales@firm.ru")
    firm.night()
    pins.pin(firm.hub, "party", "romashka", "contact_point[email]", "ivan@gmail.com", by="админ")
    assert firm.match("post", "one") == ("matched", "handle", {("matched", "Ромашка")})
    pins.unpin(firm.hub, "party", "romashka", "contact_point[email]", by="админ")
    assert firm.match("post", "one") == ("unmatched", "nobody", set())


def test_a_night_again_changes_nothing(firm: Firm) -> None:
    """Systems that say the same once more, from the start too, leave every derived row as it is."""
    firm.client("romashka", "Ромашка", "ivan@romashka.ru", "+79160000001")
    firm.letter("one", "ivan@romashka.ru", "sales@firm.ru")
    firm.letter("two", "who@gmail.com", "sales@firm.ru", in_reply_to="<one@x>")
    firm.call("three", "+79160000001")
    firm.night()
    tables = (comms_tables.activity_party, comms_tables.activity_match, comms_tables.thread_key, comms_tables.call_back)
    before = [firm.rows(table) for table in tables]
    assert all(before)
    firm.night()
    firm.backfill("post.activity")
    firm.backfill("pbx.activity")
    assert [firm.rows(table) for table in tables] == before


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_letter_and_its_client_do_not_miss_each_other(firm: Firm) -> None:
    """While one transaction looks whose letters are, another that would waits, either way."""
    firm.client("romashka", "Ромашка", "ivan@gmail.com")
    firm.letter("one", "ivan@gmail.com", "sales@firm.ru")
    firm.night()
    ways = (("party", firm.record("crm", "romashka")), ("activity", firm.record("post", "one")))
    free = select(func.pg_try_advisory_xact_lock(match.EVENTS_LOCK))
    for entity, number in ways:
        with firm.store.begin() as other:
            assert other.execute(free).scalar_one()
        with firm.store.begin() as one, firm.store.begin() as other:
            follow(one, CardDesk(firm.hub, 1, "2026-11-01 10:00:00"), entity, [number])
            assert not other.execute(free).scalar_one()

"""Reading a bot's queue on a FAKE of Telegram; the live service was not asked."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.base import ReadRequest
from connectors.messengers.config import Account
from connectors.messengers.connector import Messenger
from connectors.web import Patience
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem
from hub.model.records import Window
from tests.connectors.messengers.fake_telegram import (
    ANNA,
    BOT,
    FAULTS,
    GROUP,
    PETR,
    TOKEN,
    FakeTelegram,
    refusal,
)
from tests.connectors.messengers.opening import on_telegram, read


def people(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Roles and handles."""
    return [(one["role"], one["kind"], one["handle"]) for one in record["people"]]


def refused(bot: FakeTelegram, **more: Any) -> HubError:
    """What reading ends with."""
    with pytest.raises(HubError) as error:
        read(on_telegram(bot, **more))
    return error.value


def test_a_message_is_told_with_who_when_and_where(bot: FakeTelegram) -> None:
    """A private message: number and name of its sender, the bot as the line, local and UTC time, inbound."""
    bot.write("Добрый день!\nНужен счёт")
    (found,), _ = read(on_telegram(bot))
    assert people(found) == [("from", "messenger", "telegram:501"), ("from", "messenger", "@anna_p")]
    assert found["people"][0]["name"] == "Анна Петрова"
    told = {name: found[name] for name in ("id", "chat", "key", "line", "direction", "subject", "kind", "status")}
    assert told == {
        "id": "501/1",
        "chat": f"telegram:{BOT}:501",
        "key": f"telegram:{BOT}:501/1",
        "line": "@FirmaBot",
        "direction": "inbound",
        "subject": "Добрый день!",
        "kind": "text",
        "status": "held",
    }
    assert found["text"] == "Добрый день!\nНужен счёт"
    assert (found["at"], found["date"]) == (f"{bot.now:%Y-%m-%dT%H:%M:%SZ}", f"{_moscow(bot):%Y-%m-%dT%H:%M:%S}")
    assert not found["is_auto"]


def _moscow(bot: FakeTelegram) -> Any:
    return bot.now.astimezone(ZoneInfo("Europe/Moscow"))


def test_a_group_is_a_handle_of_its_own(bot: FakeTelegram) -> None:
    """In a group the message goes to the group; its key is the same for every bot of ours that is in it."""
    bot.write("Всем привет", PETR, GROUP)
    (found,), _ = read(on_telegram(bot))
    assert people(found) == [("from", "messenger", "telegram:502"), ("to", "messenger", "telegram:-1001700000001")]
    assert (found["title"], found["key"]) == ("Ромашка и мы", "telegram:-1001700000001/1")


def test_ours_write_outbound_and_among_themselves(bot: FakeTelegram) -> None:
    """Names of ours in any spelling: to a group it is outbound, to the bot itself it is internal."""
    bot.write("Отгрузим завтра", ANNA, GROUP)
    bot.write("Проверка", ANNA)
    found, _ = read(on_telegram(bot, own=("https://t.me/anna_p",)))
    assert [one["direction"] for one in found] == ["outbound", "internal"]


def test_a_shared_contact_of_the_sender_is_his_telephone(bot: FakeTelegram) -> None:
    """His own contact gives his number; somebody else's contact gives nobody a number."""
    bot.write(contact={"phone_number": "79161234567", "first_name": "Анна", "user_id": ANNA["id"]})
    bot.write(contact={"phone_number": "79990000000", "first_name": "Сосед", "user_id": 777})
    own, other = read(on_telegram(bot))[0]
    assert ("from", "phone", "+79161234567") in people(own)
    assert [kind for _, kind, _ in people(other)] == ["messenger", "messenger"]
    assert (own["kind"], other["text"]) == ("contact", "Сосед 79990000000")


def test_files_are_told_and_not_brought(bot: FakeTelegram) -> None:
    """Name, kind, type, size and key of a file; of a photo the largest; the caption is the text."""
    sizes = [{"file_unique_id": n, "file_size": size, "width": size} for n, size in (("s", 10), ("l", 900), ("m", 90))]
    bot.write(photo=sizes, caption="Вот накладная")
    document = {"file_unique_id": "d", "file_name": "счёт.pdf", "mime_type": "application/pdf", "file_size": 2048}
    bot.write(document=document)
    bot.write(voice={"file_unique_id": "v", "mime_type": "audio/ogg", "file_size": 5})
    photo, pdf, voice = read(on_telegram(bot))[0]
    assert photo["files"] == [
        {"n": 1, "kind": "photo", "name": "", "mime": "image/jpeg", "size": 900, "file": "l"},
    ]
    assert (photo["text"], photo["kind"]) == ("Вот накладная", "media")
    assert pdf["files"][0] | {"n": 1} == {
        "n": 1, "kind": "document", "name": "счёт.pdf", "mime": "application/pdf", "size": 2048, "file": "d",
    }  # fmt: skip
    assert voice["files"][0]["kind"] == "voice"
    assert bot.scripted is not None
    assert {one.raw.rpartition("/")[2] for one in bot.scripted.requests} == {"getUpdates", "getMe"}


def test_robots_and_news_of_the_chat_are_automatic(bot: FakeTelegram) -> None:
    """Another bot, somebody who joined, a channel's copy: nobody has written them."""
    bot.write("Заказ оформлен", {"id": 9, "is_bot": True, "first_name": "Shop"}, GROUP)
    bot.write(user=PETR, chat=GROUP, new_chat_members=[PETR])
    bot.write("Новости", PETR, GROUP, is_automatic_forward=True, sender_chat={"id": -100777, "title": "Канал"})
    robot, joined, copy = read(on_telegram(bot))[0]
    assert (robot["is_auto"], joined["is_auto"], copy["is_auto"]) == (True, True, True)
    assert joined["kind"] == "service"
    assert people(copy)[0] == ("from", "messenger", "telegram:-100777")


def test_chats_of_the_settings_are_passed_over(bot: FakeTelegram) -> None:
    """By title or by key; what was passed over is not offered again once it stands before a stored place."""
    bot.write("Наше", PETR, {"id": -5, "type": "group", "title": "Отдел продаж"})
    bot.write("Тоже", PETR, {"id": -6, "type": "group", "title": "Склад"})
    bot.write("Клиент")
    connector = on_telegram(bot, except_chats=("отдел продаж", "telegram:-6"))
    found, page = read(connector)
    assert [one["text"] for one in found] == ["Клиент"]
    assert read(connector, page.position)[0] == []


def test_confirm_before_store_cannot_happen(bot: FakeTelegram) -> None:
    """Reading, counting, looking up, asking for news and checking confirm nothing: only a place that is handed over
    does, and no further than itself.
    """
    for n in range(7):
        bot.write(f"Сообщение {n}")
    connector = on_telegram(bot)
    first = next(connector.read(ReadRequest("messages", key=("id",), page_size=3)))
    read(connector)
    connector.count(ReadRequest("messages"))
    connector.fetch(ReadRequest("messages"), ["501/1"])
    assert connector.anything_new("messages", first.position)
    connector.check()
    assert (bot.confirmed, len(bot.queue)) == ([], 7)
    found, _ = read(connector, first.position)
    assert [one["text"] for one in found] == [f"Сообщение {n}" for n in range(3, 7)]
    assert (len(bot.confirmed), len(bot.queue)) == (3, 4)


def test_more_than_a_hundred_are_confirmed_hundred_by_hundred(bot: FakeTelegram) -> None:
    """A read shows a hundred and says that there is more; the place behind them leads on, and nothing is doubled."""
    for n in range(230):
        bot.write(str(n))
    connector, texts, position = on_telegram(bot), list[str](), None
    seen = []
    for _ in range(4):
        found, page = read(connector, position)
        texts += [one["text"] for one in found]
        position = page.position
        seen.append((len(found), page.more, len(bot.confirmed)))
    assert seen == [(100, True, 0), (100, True, 100), (30, False, 200), (0, False, 230)]
    assert texts == [str(n) for n in range(230)]


def test_id_reset_drops_nothing(bot: FakeTelegram) -> None:
    """After a week of silence numbers begin anew, lower than before: an old place confirms none of them away."""
    for n in range(3):
        bot.write(f"Было {n}")
    connector = on_telegram(bot)
    _, page = read(connector)
    read(connector, page.position)
    assert bot.queue == []
    bot.silence(then=17)
    for n in range(3):
        bot.write(f"Стало {n}")
    found, after = read(connector, page.position)
    assert [one["text"] for one in found] == ["Стало 0", "Стало 1", "Стало 2"]
    assert len(bot.queue) == 3
    assert read(connector, after.position)[0] == []
    assert bot.queue == []


def test_id_reset_to_the_very_number_is_seen(bot: FakeTelegram) -> None:
    """A number that comes again is told from the old one by what it is of."""
    bot.write("Было")
    connector = on_telegram(bot)
    _, page = read(connector)
    read(connector, page.position)
    bot.silence(then=page.position["update"])
    bot.write("Стало")
    assert [one["text"] for one in read(connector, page.position)[0]] == ["Стало"]
    assert len(bot.queue) == 1


def test_replay_of_a_page_brings_the_same_records(bot: FakeTelegram) -> None:
    """Read and not stored: the same updates come again, byte for byte, to another process too."""
    for n in range(5):
        bot.write(f"Сообщение {n}")
    first, again = (read(on_telegram(bot))[0] for _ in range(2))
    assert first == again
    assert len(first) == 5


def test_an_edit_is_the_same_message(bot: FakeTelegram) -> None:
    """Edited before it was read it comes once, as it is now; edited later it comes again under its own key."""
    said = bot.write("Цена 100")
    bot.write("Ещё вопрос")
    bot.edit(said, "Цена 120")
    connector = on_telegram(bot)
    found, page = read(connector)
    assert [(one["id"], one["text"]) for one in found] == [("501/2", "Ещё вопрос"), ("501/1", "Цена 120")]
    bot.edit(said, "Цена 130")
    (changed,), _ = read(connector, page.position)
    assert (changed["id"], changed["text"]) == ("501/1", "Цена 130")
    assert changed["edited_at"] == f"{bot.now:%Y-%m-%dT%H:%M:%SZ}"


def test_what_is_no_message_moves_the_place_all_the_same(bot: FakeTelegram) -> None:
    """An update of a kind that nobody asked for is passed over and not offered for ever."""
    bot.queue.append({"update_id": 5, "poll": {"id": "1"}})
    connector = on_telegram(bot)
    found, page = read(connector)
    assert found == []
    read(connector, page.position)
    assert bot.queue == []


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("revoked!", StopSystem, "chat_token_refused"),
        ("other_reader!", RetryLater, "chat_other_reader"),
        ("limit!", RetryLater, "service_busy"),
        ("page!", StopSystem, "service_not_it"),
        ("moved!", StopSystem, "service_moved"),
        ("cut!", RetryLater, "service_cut"),
        ("refused!", StopRoute, "service_refused"),
    ],
)
def test_each_refusal_is_told_in_our_words(bot: FakeTelegram, fault: str, kind: type, code: str) -> None:
    """By what is to be done about it, and never with the token."""
    bot.failing = [fault]
    error = refused(bot)
    assert (type(error), error.code) == (kind, code)
    assert TOKEN not in f"{error} {error.params}"


def test_a_webhook_is_told_apart_from_another_reader(bot: FakeTelegram) -> None:
    """409 because of a webhook stops the system, with an advice; ``check`` says it before anything is read."""
    bot.webhook = "https://crm.example/hook"
    error = refused(bot)
    assert (type(error), error.code) == (StopSystem, "chat_webhook_set")
    assert "вебхук" in error.sentence()
    assert [one.code for one in on_telegram(bot).check().problems] == ["chat_webhook_set"]


def test_a_pause_that_is_asked_for_is_kept(bot: FakeTelegram) -> None:
    """429 with ``retry_after``: so many seconds are waited; more than patience has is handed on to the caller."""
    slept: list[float] = []
    account = Account("telegram", bot.url, TOKEN, "Бот", patience=Patience(retries=2, first=0.5, longest=30.0))
    connector = Messenger(account, sleep=slept.append)
    bot.write("Привет")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAULTS, "limit", refusal(429, "Too Many Requests: retry after 7", retry_after=7))
        bot.failing = ["limit"]
        assert len(read(connector)[0]) == 1
        assert slept == [7.0]
        patch.setitem(FAULTS, "limit", refusal(429, "Too Many Requests: retry after 500", retry_after=500))
        bot.failing = ["limit"]
        with pytest.raises(RetryLater) as error:
            read(connector)
        assert error.value.retry_after == 500


def test_the_check_knows_the_bot_and_what_it_cannot_see(bot: FakeTelegram) -> None:
    """A good token names the bot; that it sees little of groups is a note and no problem."""
    bot.privacy = True
    report = on_telegram(bot).check()
    assert (report.reachable, report.product, report.problems) == (True, "Telegram, @FirmaBot", [])
    assert [one.code for one in report.notes] == ["chat_privacy_mode"]


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ("", "chat_token_missing"),
        ("FirmaBot", "chat_token_form"),
        ("7012345678:ААкириллица-вместо-латиницы-0123456", "service_key_letters"),
        (f"{TOKEN} ", "service_key_letters"),
    ],
)
def test_a_mistyped_token_is_told_before_anything_is_sent(bot: FakeTelegram, secret: str, code: str) -> None:
    """What cannot be a token is not sent anywhere; the sentence says what to do and does not repeat it."""
    with pytest.raises(NeedsPerson) as error:
        on_telegram(bot, secret=secret)
    assert error.value.code == code
    assert error.value.advice()
    assert not secret or secret not in str(error.value)
    assert bot.scripted is not None
    assert bot.scripted.requests == []


def test_another_token_is_refused_with_an_advice(bot: FakeTelegram) -> None:
    """A token of the right form that Telegram does not know: one sentence and what to do, by the check."""
    wrong = "7012345678:AAanother-token-that-nobody-knows-000"
    (problem,) = on_telegram(bot, secret=wrong).check().problems
    assert problem.code == "chat_token_refused"
    assert "BotFather" in problem.advice()


def test_days_cannot_be_read_again(bot: FakeTelegram) -> None:
    """A backfill is told that there is nothing to be had, instead of an empty success."""
    request = ReadRequest("messages", key=("id",), window=Window(date(2026, 1, 1), date(2026, 2, 1)))
    with pytest.raises(StopRoute) as error:
        list(on_telegram(bot).read(request))
    assert error.value.code == "chat_no_history"


def test_the_token_is_in_no_log(bot: FakeTelegram, caplog: pytest.LogCaptureFixture) -> None:
    """Not even when the HTTP library logs every address."""
    bot.write("Привет")
    bot.failing = ["busy"]
    with caplog.at_level(logging.DEBUG):
        read(on_telegram(bot))
    assert "bot•••" in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(on_telegram(bot)._account)


def test_keys_are_not_sent_in_the_open() -> None:
    """``http://`` is for this machine alone."""
    with pytest.raises(NeedsPerson) as error:
        on_telegram("http://tg.example")
    assert error.value.code == "service_url_bare"

"""Messages through the hub: on the right client's card once, whatever is killed, edited, replayed or shared.

Telegram is a FAKE here; Matrix, where it is installed, is a real server.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.memory import MemoryBase, MemoryConnector
from connectors.messengers.connector import Messenger
from hub.exchange.check import check_system
from hub.exchange.comms.history import card
from hub.exchange.hub import Hub
from hub.exchange.news import anything_new
from hub.exchange.plan.make import make_plan
from hub.exchange.service import backfill, exchange_changes, run_exchange
from hub.model.records import Window
from hub.model.settings import SystemSettings
from hub.model.settings_comms import MessengerSettings
from hub.store import comms_tables, core, tables
from hub.store.database import Store
from mappings import profile
from tests.connectors.messengers.fake_telegram import ANNA, BOT, GROUP, PETR, FakeTelegram
from tests.connectors.messengers.opening import hub_of, on_matrix, on_telegram
from tests.connectors.messengers.synapse import Synapse
from tests.exchange.comms.world import PROFILES, typed
from tests.exchange.installation import make_hub

CHAT = f"telegram:{BOT}:{ANNA['id']}"
CHILD = "tests.connectors.messengers.child"


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Clients come by the small profile of the tests of matching, messages by the one that is shipped."""
    folder = tmp_path / "profiles"
    shutil.copytree(PROFILES, folder)
    shutil.copytree(profile.ROOT / "messenger", folder / "messenger")
    monkeypatch.setattr(profile, "ROOT", folder)


@dataclass
class Firm:
    """A hub with clients (``crm``) and one messenger (``chat``)."""

    hub: Hub
    store: Store
    crm: MemoryBase

    def client(self, key: str, **contacts: str) -> None:
        """A client with one contact of each kind given."""
        told = [{"kind": kind, "value": value} for kind, value in contacts.items()]
        record = {"id": key, "name": key, "kind": "company", "marked": False, "owner": "", "role": "", "firm": None}
        self.crm.put("clients", {**record, "contacts": told})

    def night(self, *routes: str) -> dict[str, int]:
        """One exchange; what became of the messages."""
        report = run_exchange(self.hub, list(routes) or None)
        assert {one.route: str(one.error) for one in report.routes if one.error} == {}
        (found,) = (one.counters for one in report.routes if one.route == "chat.activity")
        assert found.balanced
        return {name: n for name in ("created", "updated", "unchanged") if (n := getattr(found, name))}

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of a table."""
        with self.store.read() as conn:
            return [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key.columns)).mappings()]

    def activities(self) -> list[dict[str, Any]]:
        """Messages of the store."""
        return self.rows(tables.ROOTS["activity"])

    def leads(self) -> list[tuple[str, list[str]]]:
        """Key and contacts of each lead."""
        points = self.rows(tables.CHILDREN["lead_contact_point"])
        return [
            (one["dedupe_key"], [p["value_norm"] for p in points if p["lead_id"] == one["id"]])
            for one in self.rows(tables.ROOTS["lead"])
        ]

    def whose(self) -> dict[str, tuple[str, str, list[str]]]:
        """By text of the message: state, rule, names of clients."""
        names = {one["id"]: one["display_name"] for one in self.rows(tables.ROOTS["party"])}
        parties = self.rows(comms_tables.activity_party)
        match = {one["activity_id"]: one for one in self.rows(comms_tables.activity_match)}
        found = {}
        for one in self.activities():
            mine = [p for p in parties if p["activity_id"] == one["id"] and p["entity"] == "party"]
            known = match[one["id"]]
            found[one["body_text"]] = (known["state"], known["rule"], sorted(names[p["record_id"]] for p in mine))
        return found


Make = Callable[..., Firm]


@pytest.fixture
def make(store: Store, tmp_path: Path, people: None) -> Iterator[Make]:
    """Make a firm around a connector; keyword arguments are keys of the section ``messenger``."""
    opened: list[Any] = []

    def build(connector: Messenger, **section: Any) -> Firm:
        crm = MemoryBase("crm")
        contacts = {"contacts": {"kind": "Edm.String", "value": "Edm.String"}}
        crm.define("clients", typed(("id", "name", "kind", "marked", "owner", "role", "firm")), ["id"], contacts)
        crm.define("orders", typed(("id", "client", "status", "at", "total")), ["id"])
        settings = {
            "crm": SystemSettings("crm", "memory", "UTC", "people", page_size=20),
            "chat": SystemSettings(
                "chat", "messenger", "Europe/Moscow", "messenger", "Чат",
                messenger=MessengerSettings("telegram", **section),
            ),
        }  # fmt: skip
        hub = make_hub(store, tmp_path, {"crm": MemoryConnector(crm), "chat": connector}, settings)
        opened.extend((connector, hub))
        return Firm(hub, store, crm)

    yield build
    for one in reversed(opened):
        one.close()


def test_a_message_is_on_its_clients_card_once(make: Make, bot: FakeTelegram) -> None:
    """By the name on the card in any spelling, by the number, by a shared telephone; a second night changes nothing."""
    firm = make(on_telegram(bot))
    firm.client("Ромашка", messenger="https://t.me/Anna_P")
    firm.client("Лютик", messenger=f"telegram: {PETR['id']}")
    bot.write("От Анны")
    bot.write("От Петра", PETR)
    bot.write("Кто я?", {"id": 777, "is_bot": False, "first_name": "Кто-то"})
    assert firm.night() == {"created": 3}
    assert firm.whose() == {
        "От Анны": ("matched", "handle", ["Ромашка"]),
        "От Петра": ("matched", "handle", ["Лютик"]),
        "Кто я?": ("unmatched", "nobody", []),
    }
    assert firm.night() == {}
    assert bot.queue == []
    (entry,) = card(firm.hub, "Ромашка").entries
    assert (entry.kind, entry.title, entry.direction) == ("chat_message", "От Анны", "inbound")


def test_a_shared_telephone_brings_the_whole_chat_along(make: Make, bot: FakeTelegram) -> None:
    """Who is nobody yet shares his contact: all he wrote in this chat, before and after, is that client's."""
    firm = make(on_telegram(bot))
    firm.client("Ромашка", phone="8 (916) 123-45-67")
    bot.write("До")
    firm.night()
    assert firm.whose()["До"] == ("unmatched", "nobody", [])
    bot.write(contact={"phone_number": "+79161234567", "first_name": "Анна", "user_id": ANNA["id"]})
    firm.night()
    bot.write("После")
    firm.night()
    found = firm.whose()
    assert found.pop("Анна +79161234567") == ("matched", "handle", ["Ромашка"])
    assert found == {text: ("matched", "thread", ["Ромашка"]) for text in ("До", "После")}
    firm.client("Ромашка", phone="8 (916) 000-00-00")
    firm.night()
    assert {state for state, _, _ in firm.whose().values()} == {"unmatched"}


def test_a_name_that_appears_on_a_card_takes_its_messages_along(make: Make, bot: FakeTelegram) -> None:
    """The client is entered after he wrote."""
    firm = make(on_telegram(bot))
    bot.write("Первое")
    firm.night()
    firm.client("Ромашка", messenger="@anna_p")
    firm.night()
    assert firm.whose() == {"Первое": ("matched", "handle", ["Ромашка"])}


def test_a_group_is_its_clients(make: Make, bot: FakeTelegram) -> None:
    """The group stands on the client's card: what ours write there is the client's too."""
    firm = make(on_telegram(bot, own=("@anna_p",)), own=("@anna_p",))
    firm.client("Ромашка", messenger=f"telegram:{GROUP['id']}")
    bot.write("Отгрузили", ANNA, GROUP)
    bot.write("Спасибо", PETR, GROUP)
    firm.night()
    assert firm.whose() == {
        "Отгрузили": ("matched", "handle", ["Ромашка"]),
        "Спасибо": ("matched", "handle", ["Ромашка"]),
    }


def test_an_edit_is_the_same_activity(make: Make, bot: FakeTelegram) -> None:
    """Other words under the same record; told again they change nothing."""
    firm = make(on_telegram(bot))
    said = bot.write("Цена 100")
    firm.night()
    bot.edit(said, "Цена 120")
    assert firm.night() == {"updated": 1}
    (one,) = firm.activities()
    assert (one["body_text"], one["subject"]) == ("Цена 120", "Цена 120")
    (detail,) = firm.rows(tables.CHILDREN["chat_detail"])
    assert (detail["chat"], detail["message_id"]) == (CHAT, "1")
    assert detail["edited_at"] is not None


def test_two_bots_see_one_message_of_a_group_once(make: Make, bot: FakeTelegram, store: Store, tmp_path: Path) -> None:
    """The key of a message in a shared group is nobody's own: the second bot's copy is another place of it."""
    firm = make(on_telegram(bot))
    message = bot.write("Всем", PETR, GROUP)
    firm.night()
    second = on_telegram(bot)
    systems = {"chat": firm.hub.settings.systems["chat"], "other": SystemSettings(
        "other", "messenger", "Europe/Moscow", "messenger", "Второй", messenger=MessengerSettings("telegram")
    )}  # fmt: skip
    hub = make_hub(store, tmp_path, {"chat": on_telegram(bot), "other": second}, systems)
    bot.queue.append({"update_id": bot.next_update, "message": message})
    report = run_exchange(hub, ["other.activity"])
    assert (report.state, len(firm.activities())) == ("completed", 1)
    hub.close()


@pytest.mark.parametrize(("unknown", "number"), [("ignore", 0), ("keep", 0), ("create", 1)])
def test_strangers_become_leads_as_the_settings_say(make: Make, bot: FakeTelegram, unknown: str, number: int) -> None:
    """Silent in the first load; then once per stranger, known by all his handles, and the lead is his from then on."""
    firm = make(on_telegram(bot), unknown=unknown)
    bot.write("Давно", PETR)
    firm.night()
    assert firm.leads() == []
    bot.write("Здравствуйте")
    bot.write("Вы тут?")
    firm.night()
    bot.write("Ау", ANNA)
    firm.night()
    assert firm.leads() == [("lead:messenger:telegram:501", ["telegram:501", "@anna_p"])] * number
    states = {text: state for text, (state, _, _) in firm.whose().items() if text != "Давно"}
    assert set(states.values()) == {{"ignore": "ignored", "keep": "unmatched", "create": "matched"}[unknown]}
    titles = [one["title"] for one in firm.rows(tables.ROOTS["lead"])]
    assert titles == ["Сообщение от Анна Петрова (@anna_p)"] * number


def test_bots_and_news_of_the_chat_make_no_lead(make: Make, bot: FakeTelegram) -> None:
    """Nor do a message that was taken back and ours."""
    firm = make(on_telegram(bot, own=("telegram:502",)), unknown="create", own=("telegram:502",))
    firm.night()
    bot.write("Заказ оформлен", {"id": 9, "is_bot": True, "first_name": "Shop"}, GROUP)
    bot.write(user=ANNA, chat=GROUP, new_chat_members=[ANNA])
    bot.write("Коллега", PETR)
    firm.night()
    assert len(firm.activities()) == 3
    assert firm.leads() == []


def test_what_was_written_long_ago_makes_no_lead(make: Make, bot: FakeTelegram) -> None:
    """Nobody waits for an answer any more."""
    firm = make(on_telegram(bot), unknown="create")
    firm.night()
    bot.now -= timedelta(days=8)
    bot.write("Ау")
    firm.night()
    assert (len(firm.activities()), firm.leads()) == (1, [])


def test_hundreds_that_wait_come_in_one_night(make: Make, bot: FakeTelegram) -> None:
    """More than Telegram shows at once, each once; the first load is silent to its very end."""
    firm = make(on_telegram(bot), unknown="create")
    for n in range(250):
        bot.write(str(n))
    assert firm.night() == {"created": 250}
    assert firm.leads() == []
    assert sorted(one["body_text"] for one in firm.activities()) == sorted(str(n) for n in range(250))


@pytest.mark.parametrize(
    ("where", "nth", "stored"), [("before", 1, 0), ("before", 2, 100), ("after", 1, 100), ("after", 2, 200)]
)
def test_killed_between_store_and_confirm_nothing_is_lost(
    store: Store, tmp_path: Path, bot: FakeTelegram, where: str, nth: int, stored: int
) -> None:
    """Killed before a commit or right after it, with Telegram not told: it has forgotten nothing that is not stored,
    and the next night brings the rest, each message once.
    """
    for n in range(230):
        bot.write(str(n))
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", CHILD, url, bot.url, str(tmp_path), where, str(nth)]
    child = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    table = tables.ROOTS["activity"]

    def texts() -> list[str]:
        with store.read() as conn:
            return list(conn.execute(select(table.c.body_text)).scalars())

    assert len(texts()) == stored >= len(bot.confirmed)
    assert len(bot.queue) == 230 - len(bot.confirmed)
    hub = hub_of(store, tmp_path, on_telegram(bot))
    report = run_exchange(hub)
    assert report.state == "completed", report.routes[0].error
    assert report.routes[0].counters.created == 230 - stored
    assert sorted(texts()) == sorted(str(n) for n in range(230))
    hub.close()


def test_a_link_that_is_cut_while_confirming_doubles_nothing(make: Make, bot: FakeTelegram) -> None:
    """The messages are stored, the request that confirms them is lost each time: the night fails, the next goes on."""
    firm = make(on_telegram(bot))
    for n in range(150):
        bot.write(str(n))
    bot.drop_confirming = True
    (report,) = run_exchange(firm.hub, ["chat.activity"]).routes
    assert report.error is not None
    assert (report.error.code, report.counters.created, bot.confirmed) == ("service_unreachable", 100, [])
    bot.drop_confirming = False
    assert firm.night() == {"created": 50}
    assert len(firm.activities()) == 150


def test_id_reset_in_the_store_costs_nothing(make: Make, bot: FakeTelegram) -> None:
    """The stored place is of high numbers, the new ones are low: they are stored before they are forgotten."""
    firm = make(on_telegram(bot))
    bot.write("Было")
    firm.night()
    firm.night()
    bot.silence(then=3)
    bot.write("Стало")
    assert firm.night() == {"created": 1}
    assert firm.night() == {}
    assert (bot.queue, len(firm.activities())) == ([], 2)


def test_replay_of_what_was_stored_changes_nothing(make: Make, bot: FakeTelegram) -> None:
    """The place is lost, the queue shows what was stored: nothing is created, nothing changes."""
    firm = make(on_telegram(bot))
    bot.edit(bot.write("Раз"), "Раз!")
    bot.write("Два")
    assert firm.night() == {"created": 2}
    with firm.store.begin() as conn:
        conn.execute(core.cursor.delete())
    assert firm.night() == {"unchanged": 2}


def test_a_plan_and_a_question_confirm_nothing(make: Make, bot: FakeTelegram) -> None:
    """A plan shows what would come, a sensor's question answers yes, and Telegram keeps all of it."""
    firm = make(on_telegram(bot))
    firm.night()
    for n in range(130):
        bot.write(str(n))
    assert anything_new(firm.hub, "chat", 0).there
    report = make_plan(firm.hub, ["chat.activity"])
    assert report.run.routes[0].counters.created == 100
    assert (bot.confirmed, firm.activities()) == ([], [])
    assert firm.night() == {"created": 130}
    exchange_changes(firm.hub, ["chat"])
    assert not anything_new(firm.hub, "chat", 1).there


def test_days_of_a_bot_cannot_be_brought_back(make: Make, bot: FakeTelegram) -> None:
    """A backfill says so instead of ending green with nothing."""
    firm = make(on_telegram(bot))
    today = bot.now.date()
    (report,) = backfill(firm.hub, ["chat.activity"], Window(today, today + timedelta(days=1))).routes
    assert report.error is not None
    assert report.error.code == "chat_no_history"


def test_the_check_of_the_installation_covers_a_bot(make: Make, bot: FakeTelegram) -> None:
    """A working bot has no problems and no paused mapping; a revoked token is the one problem there is."""
    firm = make(on_telegram(bot))
    result = check_system(firm.hub, "chat")
    assert (result.problems, result.paused, result.mappings) == ([], {}, 1)
    bot.failing = ["revoked!"]
    assert [one.code for one in check_system(firm.hub, "chat").problems] == ["chat_token_refused"]


def test_matrix_through_the_hub(make: Make, synapse: Synapse) -> None:
    """Both directions, an edit, what was taken back, an encrypted room, a backfill: one activity for each message, on
    the client's card, and a second night changes nothing.
    """
    ours, client = synapse.person("firm"), synapse.person("client")
    room = synapse.room(ours, client, name="Ромашка")
    firm = make(on_matrix(synapse, synapse.tokens[ours]), own=(ours,), unknown="create")
    firm.client("Ромашка", messenger=f"https://matrix.to/#/{client}")
    synapse.say(client, room, "Нужен счёт")
    firm.night()
    assert firm.leads() == []
    changed, taken = synapse.say(client, room, "На 100"), synapse.say(client, room, "Не то")
    synapse.say(ours, room, "Выставили")
    assert firm.night() == {"created": 3}
    synapse.edit(client, room, changed, "На 120")
    synapse.redact(client, room, taken)
    synapse.send(client, room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA"})
    assert firm.night() == {"created": 1, "updated": 2}
    assert firm.night() == {}
    told = [(one["body_text"], one["status"], one["direction"]) for one in firm.activities()]
    assert sorted(told, key=str) == sorted(
        [
            ("Нужен счёт", "held", "inbound"),
            ("На 120", "held", "inbound"),
            (None, "cancelled", "inbound"),
            ("Выставили", "held", "outbound"),
            (None, "held", "inbound"),
        ],
        key=str,
    )
    assert {tuple(names) for _, _, names in firm.whose().values()} == {("Ромашка",)}
    with firm.store.begin() as conn:
        conn.execute(core.cursor.delete())
    assert firm.night() == {"unchanged": 5}
    today = bot_day(firm)
    (report,) = backfill(firm.hub, ["chat.activity"], Window(today, today + timedelta(days=2))).routes
    assert (report.counters.created, report.counters.updated) == (0, 0)
    assert report.counters.unchanged == 5
    assert firm.leads() == []


def bot_day(firm: Firm) -> Any:
    """The day of the first message, a day early for the zone."""
    return firm.activities()[0]["started_at"].date() - timedelta(days=1)

"""Reading the rooms of an account on Synapse, a real server of Matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.messengers.connector import Messenger
from hub.model.errors import NeedsPerson, StopRoute
from hub.model.records import Window
from tests.connectors.messengers.opening import on_matrix, read
from tests.connectors.messengers.synapse import Synapse


@dataclass
class Room:
    """A room of the firm's account and a client, who has read nothing yet."""

    server: Synapse
    firm: str
    client: str
    id: str
    connector: Messenger

    def say(self, text: str, who: str = "", **more: Any) -> str:
        """The client writes, unless somebody else does; the external id."""
        return f"{self.id}/{self.server.say(who or self.client, self.id, text, **more)}"

    def event(self, key: str) -> str:
        """The event of an external id."""
        return key.rpartition("/")[2]


@pytest.fixture
def room(synapse: Synapse) -> Iterator[Room]:
    """Made anew for each test."""
    firm, client = synapse.person("firm"), synapse.person("client")
    connector = on_matrix(synapse, synapse.tokens[firm])
    yield Room(synapse, firm, client, synapse.room(firm, client, name="Ромашка"), connector)
    connector.close()


def texts(records: list[dict[str, Any]]) -> list[str]:
    """What was said, in the order of time."""
    return [one["text"] for one in sorted(records, key=lambda one: (one["at"], one["id"]))]


def test_a_message_is_told_with_who_when_and_where(room: Room) -> None:
    """Sender, recipients, room, both directions; our own account is the line and nobody's recipient."""
    said = room.say("Добрый день")
    answered = room.say("Здравствуйте", room.firm)
    found = {one["id"]: one for one in read(room.connector)[0]}
    inbound, outbound = found[said], found[answered]
    assert [(one["role"], one["kind"], one["handle"]) for one in inbound["people"]] == [
        ("from", "messenger", room.client)
    ]
    assert [(one["role"], one["handle"]) for one in outbound["people"]] == [("from", room.firm), ("to", room.client)]
    assert (inbound["direction"], outbound["direction"]) == ("inbound", "outbound")
    assert (inbound["title"], inbound["chat"], inbound["line"]) == ("Ромашка", f"matrix:{room.id}", room.firm)
    assert inbound["key"] == f"matrix:{room.event(said)}"
    assert (inbound["kind"], inbound["status"], inbound["is_auto"]) == ("text", "held", False)


def test_what_is_new_is_read_from_the_place(room: Room) -> None:
    """Nothing new is one empty last page under a place; what was said since comes, and nothing else."""
    room.say("Раз")
    _, first = read(room.connector)
    assert room.connector.anything_new("messages", first.position) is False
    empty, again = read(room.connector, first.position)
    assert (empty, again.last) == ([], True)
    room.say("Два")
    assert room.connector.anything_new("messages", again.position) is True
    found, _ = read(room.connector, again.position)
    assert texts(found) == ["Два"]


def test_replay_of_a_place_brings_the_same_records(room: Room) -> None:
    """Read and not stored: the same comes again from the same place, to another process too."""
    _, first = read(room.connector)
    for n in range(5):
        room.say(f"Сообщение {n}")
    other = on_matrix(room.server, room.server.tokens[room.firm])
    assert read(room.connector, first.position)[0] == read(other, first.position)[0]
    other.close()


def test_a_gap_in_the_timeline_is_filled_backwards(room: Room) -> None:
    """More was said than the server tells at once (``limited``): the rest is read backwards, each message once."""
    _, first = read(room.connector)
    for n in range(130):
        room.say(f"{n:03d}")
    pages = list(room.connector.read(ReadRequest("messages", key=("id",), position=first.position, page_size=500)))
    found = decoded(pages)
    assert [len(page.records) for page in pages][:2] == [100, 30]
    assert sorted(one["text"] for one in found) == [f"{n:03d}" for n in range(130)]


def test_a_gap_is_gone_on_with_in_another_process(room: Room) -> None:
    """Broken off within a gap: the place of each page leads to exactly what is left."""
    _, first = read(room.connector)
    for n in range(30):
        room.say(f"{n:03d}")
    request = ReadRequest("messages", key=("id",), position=first.position, page_size=7)
    pages = list(room.connector.read(request))
    assert max(len(page.records) for page in pages) == 7
    for at, page in enumerate(pages):
        other = on_matrix(room.server, room.server.tokens[room.firm])
        rest = other.read(ReadRequest("messages", key=("id",), position=page.position, page_size=7))
        assert sorted(one["text"] for one in decoded([*pages[: at + 1], *rest])) == [f"{n:03d}" for n in range(30)]
        other.close()


def test_a_place_that_the_server_does_not_know_begins_anew(room: Room) -> None:
    """An id reset: a token of another server is refused, so everything of ``history_days`` is read again."""
    room.say("Раз")
    found, page = read(room.connector, {"since": "mxc-other-server"})
    assert texts(found) == ["Раз"]
    assert page.position["since"] != "mxc-other-server"


def test_an_edit_changes_the_same_message(room: Room) -> None:
    """``m.replace`` brings the message it names, with its first moment and its new words; twice edited, the last."""
    said = room.say("Цена 100")
    _, first = read(room.connector)
    room.server.edit(room.client, room.id, room.event(said), "Цена 120")
    room.server.edit(room.client, room.id, room.event(said), "Цена 130")
    (found,), _ = read(room.connector, first.position)
    assert (found["id"], found["text"]) == (said, "Цена 130")
    assert found["edited_at"] >= found["at"]
    whole, _ = read(room.connector)
    assert texts(whole) == ["Цена 130"]


def test_somebody_elses_edit_changes_nothing(room: Room) -> None:
    """Only whoever said it may change it, whatever an event claims."""
    said = room.say("Моё")
    _, first = read(room.connector)
    room.server.edit(room.firm, room.id, room.event(said), "Чужое")
    found, _ = read(room.connector, first.position)
    assert [one["text"] for one in found] == ["Моё"]


def test_what_is_taken_back_loses_its_words(room: Room) -> None:
    """A redaction brings the same message without its words, marked as taken back."""
    said = room.say("Не то")
    _, first = read(room.connector)
    room.server.redact(room.client, room.id, room.event(said))
    (found,), _ = read(room.connector, first.position)
    assert (found["id"], found["text"], found["subject"], found["status"]) == (said, "", "", "cancelled")


def test_an_encrypted_message_is_told_to_be_one(room: Room) -> None:
    """Who wrote and when is known, what he wrote is not; the check names the room and says what to do."""
    content = {"algorithm": "m.megolm.v1.aes-sha2"}
    room.server.act(room.firm, "PUT", f"/rooms/{room.id}/state/m.room.encryption", content)
    event = room.server.send(room.client, room.id, "m.room.encrypted", {**content, "ciphertext": "AwgA"})
    (found,), _ = read(room.connector)
    assert (found["id"], found["kind"], found["text"]) == (f"{room.id}/{event}", "encrypted", "")
    (note,) = room.connector.check().notes
    assert note.code == "chat_encrypted"
    assert "Ромашка" in note.sentence()
    assert note.advice()


def test_files_are_told_and_not_brought(room: Room) -> None:
    """Name, kind, type, size and address of a file; its name is no text."""
    info = {"mimetype": "application/pdf", "size": 2048}
    room.say("счёт.pdf", msgtype="m.file", url="mxc://hub.test/abc", info=info)
    (found,), _ = read(room.connector)
    told = {"kind": "document", "name": "счёт.pdf", "mime": "application/pdf", "size": 2048}
    assert found["files"] == [{"n": 1, **told, "file": "mxc://hub.test/abc"}]
    assert (found["kind"], found["text"]) == ("media", "")


def test_an_answer_repeats_nothing(room: Room) -> None:
    """What programs put before an answer to repeat it is left out; what it answers is told."""
    said = room.say("Когда отгрузка?")
    relation = {"m.in_reply_to": {"event_id": room.event(said)}}
    body = f"> <{room.client}> Когда отгрузка?\n\nЗавтра"
    answered = room.say(body, room.firm, **{"m.relates_to": relation})
    found = {one["id"]: one for one in read(room.connector)[0]}
    assert (found[answered]["text"], found[answered]["reply_to"]) == ("Завтра", room.event(said))


def test_bots_are_automatic_and_reactions_are_no_messages(room: Room) -> None:
    """``m.notice`` is what bots say; a reaction and a change of the room's name say nothing."""
    said = room.say("Заказ оформлен", msgtype="m.notice")
    relation = {"rel_type": "m.annotation", "event_id": room.event(said), "key": "+"}
    room.server.send(room.client, room.id, "m.reaction", {"m.relates_to": relation})
    room.server.act(room.firm, "PUT", f"/rooms/{room.id}/state/m.room.name", {"name": "Ромашка и мы"})
    (found,), _ = read(room.connector)
    assert (found["is_auto"], found["title"]) == (True, "Ромашка и мы")


def test_days_are_read_again(room: Room) -> None:
    """A window brings what was said in it by the system's own calendar, however old, and the count agrees."""
    now = datetime.now(UTC)
    for days in range(60, 50, -1):
        at = now - timedelta(days=days)
        room.say(f"{days}", ts=int(at.timestamp() * 1000))
    first, last = (now - timedelta(days=57)).date(), (now - timedelta(days=54)).date()
    request = ReadRequest("messages", key=("id",), window=Window(first, last), page_size=2)
    found = decoded(room.connector.read(request))
    assert all(str(first) <= one["date"][:10] < str(last) for one in found)
    assert len(found) == room.connector.count(request) == 3
    assert texts(read(room.connector)[0]) == []


def test_a_room_that_we_left_is_read_to_its_end(room: Room) -> None:
    """What was said before we were put out comes; then nothing is asked of the room any more."""
    _, first = read(room.connector)
    room.say("Напоследок")
    room.server.act(room.firm, "POST", f"/rooms/{room.id}/leave", {})
    room.say("Без вас")
    found, page = read(room.connector, first.position)
    assert texts(found) == ["Напоследок"]
    assert read(room.connector, page.position)[0] == []


def test_rooms_of_the_settings_are_passed_over(room: Room) -> None:
    """By name or by id."""
    room.say("Личное")
    for told in ("ромашка", room.id):
        connector = on_matrix(room.server, room.server.tokens[room.firm], except_chats=(told,))
        assert read(connector)[0] == []
        connector.close()


def test_a_crowd_is_nobodys_recipient(room: Room) -> None:
    """In a room of many only the sender says whose a message is."""
    for n in range(21):
        who = room.server.person(f"p{n}")
        room.server.act(room.firm, "POST", f"/rooms/{room.id}/invite", {"user_id": who})
        room.server.act(who, "POST", f"/rooms/{room.id}/join", {})
    room.say("Всем привет")
    (found,), _ = read(room.connector)
    assert [one["role"] for one in found["people"]] == ["from"]


def test_the_check_tells_of_invitations_and_of_no_rooms(synapse: Synapse) -> None:
    """An account that is in no room yet: nothing is accepted by itself, and what to do is said."""
    firm, client = synapse.person("firm"), synapse.person("client")
    synapse.act(client, "POST", "/createRoom", {"invite": [firm]})
    connector = on_matrix(synapse, synapse.tokens[firm])
    report = connector.check()
    assert (report.problems, report.product) == ([], f"Matrix, {firm}")
    assert [one.code for one in report.notes] == ["chat_invited", "chat_no_rooms"]
    assert all(one.advice() for one in report.notes)
    assert read(connector)[0] == []
    connector.close()


def test_a_mistyped_token_is_told(synapse: Synapse) -> None:
    """One that the server does not know is refused with an advice; one that cannot be one is not sent."""
    (problem,) = on_matrix(synapse, "syt_bm9ib2R5_wrong").check().problems
    assert problem.code == "chat_token_refused"
    assert "Matrix" in problem.sentence()
    with pytest.raises(NeedsPerson) as error:
        on_matrix(synapse, "токен")
    assert error.value.code == "service_key_letters"


def test_the_address_is_needed_and_kept_closed() -> None:
    """Each firm has a server of its own; tokens do not travel in the open."""
    for url, code in (("", "service_url_needed"), ("http://matrix.example", "service_url_bare")):
        with pytest.raises(NeedsPerson) as error:
            on_matrix(url, "syt_x")
        assert error.value.code == code


def test_another_server_is_told_to_be_one(synapse: Synapse) -> None:
    """An address at which something else answers."""
    connector = on_matrix(f"{synapse.url}/elsewhere", "syt_x")
    (problem,) = connector.check().problems
    assert problem.code in {"service_not_it", "service_refused"}
    with pytest.raises(StopRoute) as error:
        list(connector.write("messages", []))
    assert error.value.code == "read_only"

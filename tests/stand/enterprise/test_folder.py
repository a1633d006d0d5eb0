"""Messages through a folder that both sides see."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stand.onec.enterprise.exchange import Refused
from stand.onec.enterprise.folder import Folder
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import derived_guid
from tests.stand.client import Client
from tests.stand.enterprise.peer import archive, message, party, told

PARTIES = "Catalog_Контрагенты"
NEW = derived_guid("a counterparty from elsewhere")


@pytest.fixture
def folder(stand: OneCStand, tmp_path: Path) -> Folder:
    """The small stand's exchange through an empty folder."""
    return Folder(stand.exchange, tmp_path)


def _node(folder: Folder) -> Any:
    return folder.exchange.nodes.by_code["ХАБ"]


@pytest.mark.parametrize("zipped", [False, True])
def test_a_message_is_written_under_both_codes(folder: Folder, zipped: bool) -> None:
    """The file is named after sender and receiver, replaces the one before, and nothing else is left in the folder."""
    folder.zipped = zipped
    name = f"Message_УТ_ХАБ.{'zip' if zipped else 'xml'}"
    first = folder.send(_node(folder))
    assert told(first.read_bytes()).head("MessageNo") == "1"
    assert folder.send(_node(folder)) == first
    assert [path.name for path in folder.folder.iterdir()] == [name]
    assert told(first.read_bytes()).head("MessageNo") == "2"


@pytest.mark.parametrize(
    ("name", "zipped"), [("Message_ХАБ_УТ.xml", False), ("Message_ХАБ_УТ.ZIP", True), ("Message_ХА_ХАБ_УТ.xml", False)]
)
def test_a_message_is_read(stand: OneCStand, folder: Folder, name: str, zipped: bool) -> None:
    """A plain or packed message is loaded, with a prefix in its name or without, and the file stays."""
    data = message(1, party(NEW, "Из папки"))
    (folder.folder / name).write_bytes(archive(data) if zipped else data)
    assert folder.receive(_node(folder)).name == name
    assert stand.world.get(PARTIES, NEW) is not None
    assert (folder.folder / name).exists()
    folder.receive(_node(folder))
    assert (_node(folder).received, _node(folder).loaded) == (1, 1)


def test_numbers_go_round(folder: Folder) -> None:
    """What was sent comes again until a file confirms it."""
    refs = told(folder.send(_node(folder)).read_bytes()).refs
    assert told(folder.send(_node(folder)).read_bytes()).refs == refs
    (folder.folder / "Message_ХАБ_УТ.xml").write_bytes(message(1, received=2))
    folder.receive(_node(folder))
    last = told(folder.send(_node(folder)).read_bytes())
    assert (last.refs, last.head("ReceivedNo")) == (set(), "1")


def test_the_newest_file_is_taken(folder: Folder) -> None:
    """Of several that fit the newest counts; empty ones, other nodes' and our own are not looked at."""
    for age, (name, number) in enumerate([("Message_ХАБ_УТ.xml", 5), ("Message_А_ХАБ_УТ.xml", 3)]):
        path = folder.folder / name
        path.write_bytes(message(number))
        os.utime(path, (1000 - age, 1000 - age))
    (folder.folder / "Message_Я_ХАБ_УТ.xml").touch()
    (folder.folder / "Message_ДР_УТ.xml").write_bytes(message(9))
    folder.send(_node(folder))
    assert folder.receive(_node(folder)).name == "Message_ХАБ_УТ.xml"
    assert _node(folder).received == 5


def test_nothing_to_read(folder: Folder) -> None:
    """An empty folder and one that is gone are told in БСП's sentences."""
    with pytest.raises(Refused, match="не был обнаружен файл"):
        folder.receive(_node(folder))
    folder.folder = folder.folder / "gone"
    with pytest.raises(Refused, match="не существует"):
        folder.send(_node(folder))


def test_no_way_out_of_the_folder(stand: OneCStand, folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A code from the network never becomes a path, and a link that leads out is not read."""
    outside = tmp_path_factory.mktemp("outside")
    for code in ("../x", "a/b", "..", "", "x" * 65, "a\\b", "a.b"):
        node = stand.exchange.nodes.add(code)
        for act in (folder.send, folder.receive):
            with pytest.raises(Refused, match="не может быть частью имени файла"):
                act(node)
        assert node.sent == 0
    (outside / "secret.xml").write_bytes(message(1, party(NEW, "Снаружи")))
    (folder.folder / "Message_ХАБ_УТ.xml").symlink_to(outside / "secret.xml")
    with pytest.raises(Refused, match="не был обнаружен"):
        folder.receive(_node(folder))
    assert [path.name for path in outside.iterdir()] == ["secret.xml"]


def test_by_control(tmp_path: Path) -> None:
    """Another process makes nodes and exchanges through the folder by the control address; mistakes are sentences."""
    world = build(2, clients=5, products=5, orders=5)
    with OneCStand(world, control=True, peers=(), folder=tmp_path) as stand, Client(stand) as client:

        def ask(action: str, **fields: Any) -> tuple[int, Any]:
            answer = client.send("POST", f"/_stand/{action}", json.dumps(fields).encode())
            return answer.status, answer.json

        assert ask("folder", do="send", code="НХ")[0] == 400
        assert ask("node", code="НХ")[1]["НХ"]["sent"] == 0
        status, found = ask("folder", do="send", code="НХ")
        assert (status, found["file"], found["nodes"]["НХ"]["sent"]) == (200, "Message_УТ_НХ.xml", 1)
        assert "не был обнаружен" in ask("folder", do="receive", code="НХ")[1]["error"]
        assert ask("folder", do="look", code="НХ") == (400, {"error": "ValueError: do is send or receive"})
        assert client.send("GET", "/_stand/state").json["nodes"]["НХ"]["sent"] == 1
        stand.service.folder = None
        assert "--folder" in ask("folder", do="send", code="НХ")[1]["error"]

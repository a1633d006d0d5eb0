"""One base as a side of the exchange: makes the next message for a peer, takes in a message of a peer."""

from __future__ import annotations

from collections.abc import Iterable

from stand.onec.enterprise import message
from stand.onec.enterprise.incoming import Loader
from stand.onec.enterprise.message import Header
from stand.onec.enterprise.nodes import Item, Node, Nodes
from stand.onec.enterprise.objects import FORMAT, PLAN, VERSIONS, Kind
from stand.onec.enterprise.outgoing import Teller
from stand.onec.enterprise.trees import BadXml
from stand.onec.generate.build import THIS_NODE
from stand.onec.quirks import Quirks
from stand.onec.world import Record, World

UNKNOWN_NODE = "Заданный узел плана обмена не найден. Обратитесь к администратору приложения."
BAD_FORMAT = "Ошибка формата файла обмена"
OTHER_RECEIVER = "Получатель из сообщения обмена не соответствует ожидаемому."


class Refused(Exception):
    """The base does not do it; the text says why, as БСП words it."""


class Synchronisation:
    """Messages of one base. ``nodes``: its peers; ``code``: its own code; ``announced``: what it sends and receives."""

    def __init__(self, world: World, quirks: Quirks, peers: Iterable[str] = ()) -> None:
        self.world = world
        self.quirks = quirks
        self.nodes = Nodes(world)
        self.code = str(world.tables["ExchangePlan_ДляODATA"].rows[THIS_NODE]["Code"])
        self.announced = message.announced(self.nodes.kinds.values())
        for peer in peers:
            self.nodes.add(peer)

    def node(self, plan: str, code: str) -> Node:
        """The peer of that code. ``Refused``: no such plan or node."""
        if plan != PLAN:
            raise Refused(f"План обмена «{plan}» не существует в этой программе.")
        if code not in self.nodes.by_code:
            raise Refused(UNKNOWN_NODE)
        return self.nodes.by_code[code]

    def produce(self, node: Node) -> bytes:
        """The next message for a peer: everything registered that it has not confirmed."""
        with self.world.lock:
            number = node.sent + 1
            due = [*node.changes]
            told = self._told(node, due)
            header = Header(
                self.code, node.code, number, node.received, prefix=self.code, types=self.announced
            )  # fmt: skip
            teller = Teller(self.world, node.public)
            objects = ((kind, teller.tell(kind, record)) for kind, _, record in told if record is not None)
            # What the peer never confirmed has no public identifier: its deletion is not told.
            gone = [(kind, node.public(item[1])) for kind, item, record in told if not record and item in node.told]
            data = message.write(header, objects, gone)
            node.changes.update({item: number for item in due if node.changes[item] is None})
            node.sent = number
            return data

    def _told(self, node: Node, due: Iterable[Item]) -> list[tuple[Kind, Item, Record | None]]:
        """What a message is about, kind by kind; a record that is marked or gone is ``None``."""
        order = {name: place for place, name in enumerate(self.nodes.kinds)}
        found: list[tuple[Kind, Item, Record | None]] = []
        for item in sorted(due, key=lambda item: order[item[0]]):
            kind, record = self.nodes.kinds[item[0]], self.world.get(*item)
            if node.wants is None or kind.name in node.wants:
                found.append((kind, item, None if record is None or record.get("DeletionMark") else record))
        return found

    def accept(self, node: Node, data: bytes) -> None:
        """Take in a message. ``Refused``: it is not for this base, not from this peer, or cannot be read.

        A message whose number is not higher than the last one is passed over in silence, confirmation and all.
        """
        try:
            found = message.read(data)
            with self.world.lock:
                self._take(node, found)
        except (BadXml, ValueError, KeyError) as error:
            raise Refused(f"Ошибка при загрузке данных: {error}") from None

    def _take(self, node: Node, found: message.Message) -> None:
        header = found.header
        if header.base != FORMAT:
            raise Refused(
                f'Формат сообщения обмена "{header.base}" не соответствует формату плана обмена "{FORMAT}".'
            )  # fmt: skip
        if header.version:
            self._check(node, header)
            if found.body is None:
                raise Refused(BAD_FORMAT)
            if 0 < header.number <= node.received:
                if self.quirks.old_message_lowers_number:
                    node.received = header.number
                return
            if header.number > 0:
                node.confirm(header.received)
            with self.nodes.loading(node):
                Loader(self.world, node, self.nodes.kinds).load(found.body)
            node.received = max(header.number, node.received)
        self._learn(node, header)

    def _check(self, node: Node, header: Header) -> None:
        if header.version not in VERSIONS:
            raise Refused(f'Версия "{header.version}" формата сообщения обмена "{header.base}" не поддерживается.')
        if header.to != self.code:
            raise Refused(OTHER_RECEIVER)
        if node.code not in (header.sender, header.new_sender):
            raise Refused(
                f"Не найден узел обмена для загрузки данных. План обмена: {PLAN}, Идентификатор: {header.sender}"
            )  # fmt: skip

    def _learn(self, node: Node, header: Header) -> None:
        """What the peer says of itself: its prefix and what it receives."""
        if header.types:
            node.wants = frozenset(name for name, (_, receives) in header.types.items() if receives)
        node.prefix = header.prefix or node.prefix

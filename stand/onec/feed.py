"""Change capture by an exchange plan: what was changed since whom, and the two functions that hand it over.

One row per node and object; its message number is empty until ``SelectChanges(N)`` hands the object out and stamps it.
A repeat with the same N hands out the old and the newly changed; ``NotifyChangesReceived(N)`` forgets all up to N.
"""

from __future__ import annotations

import re

from stand.onec import atomout
from stand.onec.errors import ODataError, instance_not_found, set_not_found
from stand.onec.generate.build import THIS_NODE
from stand.onec.model import Model
from stand.onec.movements import of_register
from stand.onec.projection import Projection, project
from stand.onec.urls import link
from stand.onec.wire import FEED, PLAIN, Response
from stand.onec.world import Key, Record, World, type_name

PLAN = "ExchangePlan_ДляODATA"
FUNCTIONS = ("SelectChanges", "NotifyChangesReceived")
#: Kinds of objects in the plan's composition; record sets go with the documents that write them.
_KINDS = ("catalog", "document", "task")
_NODE = re.compile(r"([^/()]+)\(guid'([0-9a-fA-F-]{36})'\)'?$")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Registered = dict[tuple[str, Key], int | None]


class Exchange:
    """Registration of changes for every node of the plan but the base's own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.changes: dict[str, Registered] = {
            str(node["Ref_Key"]): {} for node in world.tables[PLAN] if node["Ref_Key"] != THIS_NODE
        }
        self.fields: dict[str, Projection] = {}
        world.listeners.append(self.register)

    def register(self, name: str, key: Key) -> None:
        """Note a changed object for all nodes, with the record sets a document writes."""
        if self.world.model.sets[name].kind not in _KINDS:
            return
        for rows in self.changes.values():
            rows[name, key] = None
            for register in self.world.configuration.exchanged.get(name, ()):
                rows[register, (str(key), type_name(name))] = None

    def register_all(self, node: str) -> None:
        """Register every catalogue and document, as «Зарегистрировать все» does."""
        for name, table in self.world.tables.items():
            if self.world.model.sets[name].kind in _KINDS:
                self.changes[node].update(dict.fromkeys(((name, key) for key in table.rows), None))

    def handle(self, function: str, asked: dict[str, str], root: str) -> Response:
        """Answer one of ``FUNCTIONS``. Code 12 for a missing argument, 9 for an unknown node."""
        missing = [name for name in ("DataExchangePoint", "MessageNo") if name not in asked]
        if missing:
            raise ODataError(400, 12, f"Не задан параметр метода: {missing[0]}")
        number_text = asked["MessageNo"]
        if not number_text.isdigit():
            raise ODataError(400, 1, f"Ошибка преобразования строки «{number_text}» к типу Edm.Int64")
        node, number = self._node(asked["DataExchangePoint"]), int(number_text)
        if function == "SelectChanges":
            return Response(200, FEED, self._select(node, number, root))
        self._acknowledge(node, number)
        return Response(200, PLAIN, b"")

    def _node(self, text: str) -> str:
        match = _NODE.search(text.strip())
        if match is None:
            raise ODataError(400, 1, "Ошибка преобразования значения параметра DataExchangePoint")
        plan, node = match[1].lstrip("'"), match[2].lower()
        if plan != PLAN:
            raise set_not_found(plan)
        if node not in self.changes:
            raise instance_not_found()
        return node

    def _select(self, node: str, number: int, root: str) -> bytes:
        rows = self.changes[node]
        due = [item for item, sent in rows.items() if sent is None or sent == number]
        # What is registered but not published is passed over in silence and stays registered.
        wanted = [item for item in due if item[0] not in self.world.unpublished]
        records = self._recordsets({name for name, _ in wanted if name.startswith("Acc")})
        entries, gone = [], []
        for name, key in wanted:
            record = records.get((name, key)) if isinstance(key, tuple) else self.world.get(name, key)
            fields = self._projection(name)
            if record is not None:
                entries.append(atomout.entry(self.world, fields, record, root))
            elif isinstance(key, tuple):
                empty = {"Recorder": key[0], "Recorder_Type": key[1], "RecordSet": []}
                entries.append(atomout.entry(self.world, fields, empty, root))
            else:
                gone.append(link(fields.item, {"Ref_Key": key}))
        body = atomout.feed(entries, root, deleted=gone)
        if _ILLEGAL.search(body.decode()):
            raise ODataError(400, 2, "Текст содержит символы, недопустимые в XML")
        rows.update(dict.fromkeys(wanted, number))
        self.world.tables[PLAN].rows[node]["SentNo"] = str(number)
        return body

    def _recordsets(self, registers: set[str]) -> dict[tuple[str, Key], Record]:
        return {
            (register, (move.recorder, move.recorder_type)): {
                "Recorder": move.recorder,
                "Recorder_Type": move.recorder_type,
                "RecordSet": move.rows,
            }
            for register in registers
            for move in of_register(self.world, register)
        }

    def _projection(self, name: str) -> Projection:
        if name not in self.fields:
            model: Model = self.world.model
            self.fields[name] = project(model.sets[name], ())
        return self.fields[name]

    def _acknowledge(self, node: str, number: int) -> None:
        rows = self.changes[node]
        for item in [item for item, sent in rows.items() if sent is not None and sent <= number]:
            del rows[item]
        self.world.tables[PLAN].rows[node]["ReceivedNo"] = str(number)

"""How each sentence about writing comes about: what the server does, and the error of the result."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Change, Connector
from connectors.onec_odata.recorded import RecordedOneC
from hub.model.errors import HubError, StopRoute
from tests.connectors.conftest import Open
from tests.connectors.server import Reply, Request, Script, collection, fault

SET = "Document_X"
KEY = "0b7e1c9a-5a6d-4a1e-9d8c-000000000001"
OTHER = "0b7e1c9a-5a6d-4a1e-9d8c-000000000002"
GONE = fault(404, "9", "Экземпляр сущности не найден")
CREATE = Change(KEY, {"A": "x"}, create=True)
MARKED = Change(KEY, {"A": "x [м]"}, create=True, marker=("A", "[м]"))
EDMX = (
    '<Edmx><Schema><EntityType Name="Document_X"><Key><PropertyRef Name="Ref_Key"/></Key>'
    '<Property Name="Ref_Key" Type="Edm.Guid"/></EntityType></Schema>'
    '<EntityContainer><EntitySet Name="Document_X" EntityType="StandardODATA.Document_X"/></EntityContainer></Edmx>'
)


def record(key: str = KEY, **fields: Any) -> Reply:
    """A record as 1C shows it."""
    return Reply(body=json.dumps({"Ref_Key": key, "DataVersion": "1", "A": "x", **fields}).encode())


def one(connector: Connector, *changes: Change) -> HubError:
    """The error of the last of these changes."""
    *_, result = connector.write(SET, changes)
    assert result.error is not None
    return result.error


def story(change: Change, *writes: Reply, looks: Reply = GONE) -> Callable[[Open], HubError]:
    """The error of one change: what its writing requests and its looks are answered."""

    def act(open_: Open) -> HubError:
        left = list(writes)
        script: Script = lambda request: looks if request.method == "GET" else left.pop(0)  # noqa: E731 - short
        return one(open_(script)[0], change)

    return act


def refused(status: int, code: str, text: str) -> Callable[[Open], HubError]:
    """The error of a new record that 1C answers so."""
    return story(CREATE, fault(status, code, text))


def _twice(request: Request) -> Reply:
    if request.method == "POST":
        return Reply(cut=-1)
    both = [{"Ref_Key": key, "A": "x [м]"} for key in (KEY, OTHER)]
    return collection(both) if "$filter" in request.path else GONE


def _own_keys(open_: Open) -> HubError:
    """The first record teaches that the base gives its own keys; the second is lost."""
    replies = [record(OTHER), Reply(cut=-1)]

    def script(request: Request) -> Reply:
        if request.method == "POST":
            return replies.pop(0)
        return record(OTHER) if OTHER in request.path else GONE

    return one(open_(script)[0], CREATE, Change(KEY, {"A": "x"}, create=True, look_first=True))


def _recording(open_: Open) -> HubError:
    del open_
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "metadata.xml"
        file.write_text(EDMX, encoding="utf-8")
        connector = RecordedOneC(file, [], title="УТ")
    with pytest.raises(StopRoute) as error:
        list(connector.write(SET, [CREATE]))
    return error.value


POST = Change(KEY, {"A": "x"}, posting="post")
EXECUTE = Change(KEY, {"A": "x"}, posting="execute")

#: Code of the catalogue → how it comes about.
WRITE_STORIES: dict[str, Callable[[Open], HubError]] = {
    "read_only": _recording,
    "write_unknown": story(CREATE, Reply(cut=-1)),
    "marker_twice": lambda open_: one(open_(_twice)[0], MARKED),
    "marker_needed": _own_keys,
    "key_taken": refused(400, "15", "Запись с такими ключевыми полями уже существует!"),
    "record_gone": story(Change(KEY, {"A": "y"})),
    "posting_ignored": story(POST, Reply(), looks=record(Posted=False)),
    "execution_ignored": story(EXECUTE, Reply(), looks=record(Executed=False)),
    "key_malformed": story(Change("17", {"A": "x"}, create=True)),
    "field_not_writable": story(Change(KEY, {"Posted": True}, create=True)),
    "value_malformed": story(Change(KEY, {"A": {}}, create=True)),
    "row_malformed": story(Change(KEY, {"A": [{"LineNumber": 0}]}, create=True)),
    "object_locked": refused(500, "-1", "Объект уже заблокирован другим сеансом."),
    "period_closed": refused(500, "-1", "Заказ 1 невозможно поместить в запрещенный период."),
    "document_marked": refused(500, "-1", "Помеченный на удаление документ не может быть проведен!"),
    "posted_document": refused(500, "-1", "Изменение проведенных документов запрещено"),
    "required_field": refused(500, "-1", "Не указана организация"),
    "value_not_unique": refused(500, "-1", "Значение поля «Код» не уникально!"),
    "value_refused": refused(400, "4", "Неверное значение свойства A"),
    "stock_short": refused(500, "-1", "Превышен остаток товара Стол"),
    "rights_missing_write": refused(401, "20", "Нарушение прав доступа!"),
    "no_load_mode": refused(400, "17", "Режим загрузки не поддерживается"),
    "posting_refused": story(POST, fault(500, "-1", "Нет договора"), looks=record(Posted=False)),
    "execution_refused": story(EXECUTE, fault(500, "-1", "Нет исполнителя"), looks=record(Executed=False)),
    "source_refused": refused(500, "-1", "Ошибка при вызове метода контекста (Записать)"),
}

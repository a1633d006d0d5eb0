"""Failures as 1C reports them: an HTTP status, a numeric code, a Russian sentence.

The codes are those of the platform's documentation; sentences in quotes «» are recorded, the others are worded alike.
"""

from __future__ import annotations

INCOMPARABLE = (
    "Неверные параметры в операции сравнения. Нельзя сравнивать поля неограниченной длины и поля несовместимых типов."
)
OUT_OF_MEMORY = "Недостаточно памяти для получения результата запроса к базе данных"
INTERNAL = "Произошла внутренняя ошибка OData сервиса"


class ODataError(Exception):
    """Answered with ``status`` and the body ``{"odata.error": {"code", "message"}}`` (or its Atom form)."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


def segment_not_found(name: str) -> ODataError:
    """Unknown field or path segment (recorded for ``$select`` and ``$filter``)."""
    return ODataError(400, 6, f"Сегмент пути {name} не найден!")


def method_not_found(name: str) -> ODataError:
    """A virtual table or action that this object does not have."""
    return ODataError(400, 6, f"Метод не найден: {name}")


def set_not_found(name: str) -> ODataError:
    """A set that is not published, or does not exist: 1C does not tell which."""
    return ODataError(404, 8, f"Сущность «{name}» не найдена")


def instance_not_found() -> ODataError:
    """No record with that key."""
    return ODataError(404, 9, "Экземпляр сущности не найден")


def bad_option(name: str, why: str = "") -> ODataError:
    """A query option that cannot be parsed."""
    return ODataError(400, 14, f"Ошибка разбора опции запроса {name}" + (f": {why}" if why else ""))


def incomparable() -> ODataError:
    """Comparing what 1C cannot compare; the sentence is recorded."""
    return ODataError(500, -1, INCOMPARABLE)


def not_allowed(method: str) -> ODataError:
    """An HTTP method that the object does not accept."""
    return ODataError(405, 19, f"Метод HTTP {method} не поддерживается для этого объекта")


def denied() -> ODataError:
    """Row-level rights forbid one of the records asked for."""
    return ODataError(401, 20, "Нарушение прав доступа!")


def locked(name: str) -> ODataError:
    """Another session holds the record; worded after the platform's own dialogue."""
    return ODataError(500, -1, f"Не удалось заблокировать запись {name}. Объект уже заблокирован другим сеансом.")


def refused(text: str) -> ODataError:
    """A handler of the configuration raised an exception: its text comes through as it is."""
    return ODataError(500, -1, text)


def no_load_mode(name: str) -> ODataError:
    """``1C_OData-DataLoadMode`` for an object that knows no such mode."""
    return ODataError(400, 17, f"Для объекта «{name}» режим загрузки данных не поддерживается")

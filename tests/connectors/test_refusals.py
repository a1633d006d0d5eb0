"""1C's usual reasons to refuse a record, in its own words, and what the admin reads."""

from __future__ import annotations

import pytest

from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.refusals import refusal
from hub.model.errors import RetryLater, SkipRecord
from tests.connectors.server import Reply, fault

ASKED = Asked("УТ", "Document_ЗаказКлиента")

#: Texts of the platform, of its standard library and of typical configurations → the reason.
TEXTS = [
    ("Заказ клиента 0000-000001 от 01.02.2026 12:00:00 в запрещенном периоде невозможно изменить.", "period_closed"),
    ("Заказ клиента 0000-000001 от 01.02.2026 невозможно поместить в запрещенный период.", "period_closed"),
    ("Дате 01.02.2026 соответствует запрет изменения данных для всех пользователей по 31.03.2026", "period_closed"),
    ("Документ не может быть записан: период закрыт по 31.10.2026", "period_closed"),
    ("Изменения не могут быть записаны: действует дата запрета изменения 31.12.2025", "period_closed"),
    ("Помеченный на удаление документ не может быть проведен!", "document_marked"),
    ("Изменение проведенных документов запрещено настройками", "posted_document"),
    ("Документ Реализация 0001 от 01.02.2026 проведен. Изменить его нельзя.", "posted_document"),
    ("Поле «Организация» не заполнено", "required_field"),
    ("Не указана организация", "required_field"),
    ("Не заполнена колонка «Номенклатура» в строке 2 списка «Товары»", "required_field"),
    ("Значение поля «Код» не уникально!", "value_not_unique"),
    ("Контрагент с таким ИНН уже существует", "value_not_unique"),
    ("Номенклатура Стол: не хватает 3 шт. на складе Основной, остатков нет", "stock_short"),
    ("Превышен остаток товара Стол (Основной склад) на 3,000 шт", "stock_short"),
    ("Ошибка при вызове метода контекста (Записать)", "source_refused"),
]
LOCKS = [
    "Конфликт блокировок при выполнении транзакции: Превышено максимальное время ожидания предоставления блокировки",
    "Не удалось заблокировать запись Document_ЗаказКлиента. Объект уже заблокирован другим сеансом.",
    "Данные были изменены или удалены другим пользователем",
]


def judged(reply: Reply, otherwise: str = "source_refused") -> tuple[str, type, bool]:
    """Code, class, and whether it is the record's own."""
    error, own = refusal(Answer(reply.status, {}, reply.body), ASKED, otherwise)
    return error.code, type(error), own


@pytest.mark.parametrize(("text", "code"), TEXTS)
def test_each_usual_reason_is_recognised(text: str, code: str) -> None:
    """One record cannot pass: it has its own sentence, with 1C's words in it, and the others go on."""
    reply = fault(500, "-1", text)
    assert judged(reply) == (code, SkipRecord, True)
    error, _ = refusal(Answer(500, {}, reply.body), ASKED)
    assert text in error.sentence("ru")
    assert text in error.sentence("en")


@pytest.mark.parametrize("text", LOCKS)
def test_a_record_that_somebody_holds_passes_later(text: str) -> None:
    """A lock is no fault of the record: it is tried again."""
    assert judged(fault(500, "-1", text)) == ("object_locked", RetryLater, True)
    assert judged(fault(500, "-1", text), "posting_refused") == ("object_locked", RetryLater, True)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (fault(400, "1", "Ошибка преобразования строки «x» к типу Edm.Guid"), "value_refused"),
        (fault(400, "4", "Неверное значение свойства LineNumber"), "value_refused"),
        (fault(400, "5", "Не задано обязательное значение"), "required_field"),
        (fault(400, "17", "Режим загрузки данных не поддерживается"), "no_load_mode"),
        (fault(401, "20", "Нарушение прав доступа!"), "rights_missing_write"),
        (fault(403, "-1", "Недостаточно прав"), "rights_missing_write"),
        (fault(404, "9", "Экземпляр сущности не найден"), "record_gone"),
        (fault(405, "19", "Метод HTTP PATCH не поддерживается"), "source_refused"),
        (Reply(413, b"<html>too large</html>", "text/html"), "source_refused"),
    ],
)
def test_codes_of_1c_have_their_reasons(reply: Reply, code: str) -> None:
    """A value, a missing one, rights, load mode: by the number, whatever the words are."""
    assert judged(reply) == (code, SkipRecord, True)


@pytest.mark.parametrize("code", ["posting_refused", "execution_refused"])
def test_what_1c_does_not_explain_while_posting_is_passed_on(code: str) -> None:
    """The sentence says that the record is written but not posted, or not executed."""
    assert judged(fault(500, "-1", "Нет действующего договора"), code)[0] == code


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (fault(404, "8", "Сущность не найдена"), "unknown_set"),
        (fault(500, "-1", "Недостаточно памяти"), "source_memory"),
        (Reply(401, b"<html>401</html>", "text/html"), "auth_failed"),
        (Reply(404, b"<html>404</html>", "text/html"), "not_onec"),
    ],
)
def test_what_is_not_about_the_record_stops_the_route(reply: Reply, code: str) -> None:
    """Login, address, memory, a set that is not published: no record of it can pass."""
    error, own = refusal(Answer(reply.status, {"content-type": reply.kind}, reply.body), ASKED)
    assert (error.code, own) == (code, False)

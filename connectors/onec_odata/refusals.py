"""1C says no to one record: which of its usual reasons it is, told by code and by the words of the platform and of БСП.

The words are those of the Russian platform and its standard library, with the English ones of the platform beside them.
What is not recognised is passed on in 1C's own words (``source_refused``, ``posting_refused``, ``execution_refused``).
"""

from __future__ import annotations

import re

from connectors.onec_odata.answers import Answer, Asked, Complaint, complaint, failure
from hub.model.errors import HubError, RetryLater, SkipRecord

#: Errors of a reading request that, after a writing one, are about this record and not about the route or the base.
_OF_THE_RECORD = {"source_error", "rights_missing", "unknown_object"}

_LOCKED = re.compile(
    r"(?i)конфликт блокировок|не удалось заблокировать|объект (уже )?заблокирован|заблокирован\w* для изменения"
    r"|ожидани\w+ (предоставления )?блокировки|изменены или удалены другим пользователем|уже редактируется"
    r"|lock conflict|failed to lock|changed or deleted by another user"
)
_PERIOD = re.compile(
    r"(?i)дат\w+ запрета|запрет\w* (на )?(изменени|редактировани|загрузк)\w+ данных|период\b.{0,80}(закрыт|запрещ)"
    r"|(закрыт|запрещ)\w*.{0,80}\bпериод|period.{0,60}closed|closing date"
)
_MARKED = re.compile(r"(?i)помечен\w* на удаление|marked for deletion")
_POSTED = re.compile(
    r"(?i)(изменени\w+|изменять|изменить|редактировани\w+|редактировать|запис\w+).{0,60}проведенн\w+"
    r"|документ\w*.{0,60}(?<!не )\bпроведен\b|document is posted"
)
_REQUIRED = re.compile(
    r"(?i)\bне (заполнен|указан|задан|выбран)\w*|не может быть пуст\w+|необходимо (заполнить|указать|выбрать)"
    r"|is (required|not filled|not specified)|cannot be empty"
)
_UNIQUE = re.compile(r"(?i)не ?уникал\w+|уже (существует|есть|зарегистрирован)|not unique|already exists")
_SHORT = re.compile(
    r"(?i)(не хватает|недостаточно|недостает|превышен\w*|отрицательн\w+).{0,80}(остат|товар|количеств|запас)"
    r"|остат\w+.{0,60}(не хватает|недостаточно|отрицательн)"
)
_BY_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (_PERIOD, "period_closed"),
    (_MARKED, "document_marked"),
    (_SHORT, "stock_short"),
    (_POSTED, "posted_document"),
    (_REQUIRED, "required_field"),
    (_UNIQUE, "value_not_unique"),
)
#: 1C's own codes: unparsable text, bad representation, bad value, not assignable, twice the same property.
_BY_CODE = {
    "1": "value_refused",
    "3": "value_refused",
    "4": "value_refused",
    "5": "required_field",
    "9": "record_gone",
    "16": "value_refused",
    "17": "no_load_mode",
    "18": "value_refused",
    "20": "rights_missing_write",
}


def refusal(answer: Answer, asked: Asked, otherwise: str = "source_refused") -> tuple[HubError, bool]:
    """The error of an answer that is no success, and whether it is this record's own (else the caller must stop).

    ``otherwise``: the code for a reason that is not recognised.
    """
    stop = failure(answer, asked)
    if stop.code not in _OF_THE_RECORD:
        return stop, False
    said = complaint(answer)
    if _LOCKED.search(said.text):
        return RetryLater("object_locked", system=asked.system, stream=asked.stream, text=said.text), True
    code = _reason(answer, said) or otherwise
    return SkipRecord(code, system=asked.system, stream=asked.stream, text=said.text or str(answer.status)), True


def _reason(answer: Answer, said: Complaint) -> str:
    if answer.status == 403:
        return "rights_missing_write"
    if said.code in _BY_CODE:
        return _BY_CODE[said.code]
    return next((code for pattern, code in _BY_TEXT if pattern.search(said.text)), "")

"""What happens between people: letters, calls, messages and meetings, the leads that come of them, and tasks."""

from __future__ import annotations

from hub.model.entity import Child, Entity
from hub.model.fields import Field, Kind, enum, field, ref, text

_TASK_STATES = ("not_started", "in_progress", "waiting", "done", "cancelled", "deferred")


def _reminders(name: str) -> Child:
    """When to remind: so many seconds from the start (negative: before it), or at a moment of its own."""
    fields = (
        field("offset_s", Kind.INT, "За сколько секунд"),
        field("at", Kind.TIMESTAMP, "Когда"),
        enum("action", "Как", "display", "email", "audio"),
    )
    return Child(name, "Напоминания", fields, key=("offset_s", "at"))


#: ``external_key``: what tells the event apart wherever it is seen (Message-ID, call id, UID). ``line``: the mailbox,
#: the number, the bot or the calendar of ours that it went through. ``party``: the client that the source itself names;
#: whom the hub recognised is told beside the record.
ACTIVITY = Entity(
    "activity",
    "События",
    "Activities",
    "communications",
    (
        enum("type", "Вид", "email", "call", "meeting", "chat_message", "sms", "web_form", "note", required=True),
        enum("direction", "Направление", "inbound", "outbound", "internal"),
        text("subject", "Тема", clearable=True, personal=True),
        text("body_text", "Текст", clearable=True, personal=True),
        field("started_at", Kind.TIMESTAMP, "Начало", required=True),
        field("ended_at", Kind.TIMESTAMP, "Окончание", clearable=True),
        field("duration_s", Kind.INT, "Длительность, с"),
        enum("status", "Состояние", "planned", "held", "missed", "failed", "cancelled", required=True),
        ref("owner", "Ответственный", "party"),
        ref("party", "Клиент", "party"),
        ref("order", "Заказ", "sales_order"),
        text("external_key", "Ключ события"),
        text("line", "Ящик, линия, календарь"),
        field("is_auto", Kind.BOOL, "Пришло от робота"),
        enum("privacy", "Доступ", "public", "private", "confidential"),
    ),
    (
        Child(
            "activity_participant",
            "Участники",
            (
                enum(
                    "role",
                    "Роль",
                    "from",
                    "reply_to",
                    "to",
                    "cc",
                    "bcc",
                    "caller",
                    "callee",
                    "agent",
                    "organizer",
                    "attendee",
                    required=True,
                ),
                enum(
                    "handle_kind",
                    "Вид",
                    "email",
                    "phone",
                    "messenger",
                    "extension",
                    "service",
                    "hidden",
                    "other",
                    required=True,
                ),
                Field("handle_norm", Kind.TEXT, "Адрес или номер", required=True, personal=True),
                Field("handle_raw", Kind.TEXT, "Как записано", personal=True, spelling=True),
                Field("ext", Kind.TEXT, "Добавочный", personal=True, spelling=True),
                Field("display_name", Kind.TEXT, "Имя", personal=True, spelling=True),
                enum("rsvp", "Ответ", "needs_action", "accepted", "declined", "tentative", "delegated"),
            ),
            key=("role", "handle_kind", "handle_norm"),
        ),
        Child(
            "call_detail",
            "Звонок",
            (
                text("did", "Набранный номер"),
                text("queue", "Очередь"),
                text("agent_ext", "Кто ответил"),
                field("ring_s", Kind.INT, "Звонил, с"),
                field("wait_s", Kind.INT, "Ожидание, с"),
                field("talk_s", Kind.INT, "Разговор, с"),
                enum("disposition", "Исход", "answered", "no_answer", "busy", "failed", "voicemail", "cancelled"),
                text("hangup_cause", "Причина завершения"),
                field("transferred", Kind.BOOL, "Переведён"),
                field("legs", Kind.INT, "Плеч"),
                Field("recording", Kind.TEXT, "Запись разговора", personal=True),
            ),
        ),
        Child(
            "email_detail",
            "Письмо",
            (
                text("message_id", "Message-ID"),
                text("in_reply_to", "Ответ на"),
                text("reference_ids", "Цепочка"),
                text("fingerprint", "Отпечаток"),
                text("folder", "Папка"),
                field("size", Kind.INT, "Размер, байт"),
                enum("auto_kind", "Робот", "auto_reply", "list", "bounce", "bulk", "no_reply"),
                field("is_answered", Kind.BOOL, "На письмо ответили"),
                field("is_flagged", Kind.BOOL, "Отмечено флажком"),
            ),
        ),
        Child(
            "email_attachment",
            "Вложения",
            (
                Field("name", Kind.TEXT, "Имя", personal=True),
                text("mime", "Тип"),
                field("size", Kind.INT, "Размер, байт"),
                text("part", "Часть письма"),
            ),
            lines=True,
        ),
        Child(
            "chat_detail",
            "Сообщение",
            (
                text("chat", "Чат", personal=True),
                text("title", "Название чата", personal=True),
                text("message_id", "Номер сообщения"),
                text("reply_to", "Ответ на"),
                field("edited_at", Kind.TIMESTAMP, "Изменено"),
                enum(
                    "kind", "Что в нём", "text", "media", "contact", "location", "poll", "service", "encrypted", "other"
                ),
            ),
        ),
        Child(
            "chat_attachment",
            "Файлы сообщения",
            (
                Field("name", Kind.TEXT, "Имя", personal=True),
                enum("kind", "Вид", "photo", "video", "audio", "voice", "document", "sticker"),
                text("mime", "Тип"),
                field("size", Kind.INT, "Размер, байт"),
                text("file_id", "Ключ файла"),
            ),
            lines=True,
        ),
        Child(
            "meeting_detail",
            "Встреча",
            (
                text("uid", "UID"),
                field("sequence", Kind.INT, "Редакция"),
                text("rrule", "Повторение", clearable=True),
                text("location", "Место", clearable=True, personal=True),
                text("join_url", "Ссылка", clearable=True),
                field("all_day", Kind.BOOL, "Весь день"),
                text("tz", "Часовой пояс"),
            ),
        ),
        Child(
            "meeting_exception",
            "Исключения",
            (
                text("recurrence_id", "Какой раз", required=True),
                field("started_at", Kind.TIMESTAMP, "Начало", clearable=True),
                field("ended_at", Kind.TIMESTAMP, "Окончание", clearable=True),
                enum("status", "Состояние", "planned", "held", "cancelled"),
                text("subject", "Тема", clearable=True, personal=True),
                text("location", "Место", clearable=True, personal=True),
            ),
            key=("recurrence_id",),
        ),
        _reminders("activity_reminder"),
    ),
    dated_by="started_at",
)

#: ``dedupe_key``: what it came of, so that the same thing makes no second one.
LEAD = Entity(
    "lead",
    "Лиды",
    "Leads",
    "communications",
    (
        text("title", "Наименование", required=True, personal=True),
        enum("status", "Состояние", "new", "in_progress", "qualified", "converted", "junk", required=True),
        enum("source", "Источник", "email", "call", "web_form", "chat_message", "other"),
        text("line", "Ящик или линия"),
        text("contact_name", "Контактное лицо", clearable=True, personal=True),
        text("company_name", "Компания", clearable=True, personal=True),
        field("opened_at", Kind.TIMESTAMP, "Открыт"),
        field("closed_at", Kind.TIMESTAMP, "Закрыт", clearable=True),
        ref("owner", "Ответственный", "party"),
        ref("party", "Клиент", "party"),
        ref("activity", "Первое событие", "activity"),
        text("comment", "Комментарий", clearable=True, personal=True),
        text("dedupe_key", "Ключ"),
    ),
    (
        Child(
            "lead_contact_point",
            "Контакты",
            (
                enum("system", "Вид", "phone", "email", "messenger", "other", required=True),
                Field("value_norm", Kind.TEXT, "Нормализованное", required=True, personal=True),
                Field("value_raw", Kind.TEXT, "Как записано", personal=True, spelling=True),
            ),
            key=("system", "value_norm"),
        ),
    ),
)

#: An address on a mailing list: once known, known for good, whatever becomes of it. ``party``: for whom the hub made
#: it.
SUBSCRIPTION = Entity(
    "subscription",
    "Подписки",
    "Subscriptions",
    "communications",
    (
        text("list", "Список", required=True),
        text("email", "Адрес", required=True, personal=True),
        enum("status", "Состояние", "subscribed", "unsubscribed", required=True),
        ref("party", "Клиент", "party"),
    ),
)

TASK = Entity(
    "task",
    "Задачи",
    "Tasks",
    "communications",
    (
        text("title", "Что сделать", required=True, personal=True),
        text("body", "Описание", clearable=True, personal=True),
        field("date", Kind.TIMESTAMP, "Поставлена"),
        enum("kind", "Вид", "contact_client", "call", "meeting", "document", "approval", "other"),
        enum("priority", "Важность", "low", "normal", "high", "urgent"),
        enum("status", "Состояние", *_TASK_STATES, required=True),
        ref("assignee", "Исполнитель", "party"),
        ref("author", "Автор", "party"),
        field("start_at", Kind.TIMESTAMP, "Начать", clearable=True),
        field("due_at", Kind.TIMESTAMP, "Выполнить до", clearable=True),
        field("done_at", Kind.TIMESTAMP, "Выполнена", clearable=True),
        text("result", "Результат", clearable=True, personal=True),
        ref("party", "Клиент", "party"),
        ref("order", "Заказ", "sales_order"),
        ref("invoice", "Счёт", "invoice"),
        ref("activity", "Событие", "activity"),
        text("dedupe_key", "Ключ"),
    ),
    (_reminders("task_reminder"),),
)

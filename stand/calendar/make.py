"""What stands in the calendar: meetings with clients of 1C, with series, exceptions and reminders, and tasks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from stand.onec.configurations import UT
from stand.onec.generate.build import TODAY
from stand.onec.generate.catalogs import Base, make_catalogs
from stand.onec.generate.luck import Luck
from stand.onec.generate.parties import make_parties
from stand.onec.world import World

#: Of so many of its first clients the 1C stand must have been made.
SHARED_WITH = 120
_NAMESPACE = uuid.UUID("1d1f7a52-6f0e-4c0a-9b0e-0d6a2f6c7a10")
_ABOUT = ("Переговоры", "Презентация", "Сверка расчётов", "Обсуждение поставки", "Знакомство", "Подписание договора")
_TASKS = ("Выслать предложение", "Позвонить", "Подготовить договор", "Проверить оплату", "Согласовать отгрузку")
_PLACES = ("Офис клиента", "Переговорная 2", "По телефону", "")


@dataclass(frozen=True)
class Person:
    """A client as the calendar names him."""

    name: str
    email: str


def people(seed: int, today: date = TODAY) -> list[Person]:
    """Clients of the 1C stand of this seed who have an e-mail address, spelled as 1C has it but for blanks."""
    base = Base(World(UT), Luck(seed), today)
    make_catalogs(base)
    made = make_parties(base, SHARED_WITH)
    found = [(client.name, email) for client in made for email in client.contacts.emails[:1]]
    return [Person(name, email.replace(" ", "")) for name, email in found if "@" in email and "," not in email]


def resources(seed: int, owner: str, meetings: int, tasks: int, today: date = TODAY) -> Iterator[tuple[str, str]]:
    """Name and text of each resource; the same words make the same content. ``owner``: the manager's address."""
    luck, clients = Luck(seed + 7), people(seed, today)
    for n in range(meetings):
        yield _meeting(luck, clients, owner, n, today)
    for n in range(tasks):
        yield _task(luck, clients, n, today)


def _meeting(luck: Luck, clients: list[Person], owner: str, n: int, today: date) -> tuple[str, str]:
    uid, client = _uid("meeting", n), luck.pick(clients)
    day = today + timedelta(days=luck.whole(-20, 30))
    hour, about, place = luck.whole(9, 17), luck.pick(_ABOUT), luck.pick(_PLACES)
    status = luck.pick(("ACCEPTED", "ACCEPTED", "NEEDS-ACTION", "TENTATIVE", "DECLINED"))
    head = [
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        f"SUMMARY:{about}: {client.name}".replace(",", "\\,"),
        f"ORGANIZER:mailto:{owner}",
        f'ATTENDEE;CN="{client.name.replace(chr(34), "")}";PARTSTAT={status}:mailto:{client.email}',
    ]
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Встреча", "TRIGGER:-PT15M", "END:VALARM"]
    lines = [*head, *_time(day, hour), *([f"LOCATION:{place}"] if place else [])]
    parts = [["BEGIN:VEVENT", *lines, *(["RRULE:FREQ=WEEKLY;COUNT=8"] if n % 9 == 4 else []), *alarm, "END:VEVENT"]]
    if n % 9 == 4:  # one of the weeks a day later
        week = day + timedelta(days=14)
        named = f"RECURRENCE-ID;TZID=Europe/Moscow:{week:%Y%m%d}T{hour:02d}0000"
        parts.append(["BEGIN:VEVENT", *head, named, *_time(week + timedelta(days=1), hour), "END:VEVENT"])
    return uid, _whole(parts)


def _task(luck: Luck, clients: list[Person], n: int, today: date) -> tuple[str, str]:
    uid, client, due = _uid("task", n), luck.pick(clients), today + timedelta(days=luck.whole(-5, 15))
    done = luck.chance(0.3)
    lines = [
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        f"SUMMARY:{luck.pick(_TASKS)}: {client.name}".replace(",", "\\,"),
        f"DUE;TZID=Europe/Moscow:{due:%Y%m%d}T180000",
        f"PRIORITY:{luck.pick((1, 5, 9))}",
        *(["STATUS:COMPLETED", f"COMPLETED:{due:%Y%m%d}T120000Z"] if done else ["STATUS:NEEDS-ACTION"]),
    ]
    return uid, _whole([["BEGIN:VTODO", *lines, "END:VTODO"]])


def _time(day: date, hour: int) -> list[str]:
    zone = "TZID=Europe/Moscow"
    return [f"DTSTART;{zone}:{day:%Y%m%d}T{hour:02d}0000", f"DTEND;{zone}:{day:%Y%m%d}T{hour + 1:02d}0000"]


def _uid(kind: str, n: int) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{n}"))


def _whole(parts: list[list[str]]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Obmen//stand//RU", *(line for part in parts for line in part)]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])

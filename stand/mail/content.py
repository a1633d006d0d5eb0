"""The letters of the demo: clients of the 1C stand write and are answered, and so do strangers and robots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from stand.mail.boxes import Account
from stand.mail.writing import File, dated, letter, person, word
from stand.onec.configurations import UT
from stand.onec.generate.build import TODAY
from stand.onec.generate.catalogs import Base, make_catalogs
from stand.onec.generate.luck import Luck
from stand.onec.generate.parties import make_parties
from stand.onec.world import World

USER, OWN_NAME = "zakaz@firma.example", "Отдел продаж"
#: Of so many of its first clients the 1C stand's letters are: it must have been made with at least as many.
CLIENTS = 120
_ZONE = timedelta(hours=3)
_ASKED = (
    ("Заявка на товар", "Добрый день!\n\nПросим выставить счёт по прилагаемой заявке. Самовывоз в пятницу."),
    ("Счёт № {n}", "Здравствуйте.\n\nОплатили счёт № {n}, платёжное поручение во вложении. Когда отгрузка?"),
    ("Акт сверки за квартал", "Добрый день, пришлите, пожалуйста, подписанный акт сверки за прошлый квартал."),
    ("Вопрос по отгрузке", "Машина пришла не полностью: не хватает двух мест. Разберитесь, пожалуйста, сегодня."),
    ("Прайс-лист", "Коллеги, пришлите действующий прайс с учётом нашей скидки."),
    ("Доверенность", "Высылаем доверенность на получение товара, оригинал у водителя."),
)
_ANSWER = "Здравствуйте!\n\nПриняли в работу, ответим до конца дня.\n\n--\nОтдел продаж\n\n> {said}\n"
_STRANGERS = (
    ("Марина Ковалёва", "m.kovaleva@novyi-klient.example", "Хотим стать вашим дилером", "koi8-r"),
    ("Пётр Ильин", "ilin@stroyka-plus.example", "Запрос цены на партию", "windows-1251"),
    ("", "sekretar@neizvestno.example", "Коммерческое предложение", "utf-8"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client who has an e-mail address."""

    name: str
    email: str


def clients(seed: int, today: date = TODAY) -> list[Client]:
    """Clients of the 1C stand of that seed whose address is one, in their order."""
    base = Base(World(UT), Luck(seed), today)
    make_catalogs(base)
    found = []
    for client in make_parties(base, CLIENTS):
        for text in client.contacts.emails:
            address = text.strip().lower()
            if address.count("@") == 1 and " " not in address and "," not in address:
                found.append(Client(client.name, address))
    return found


class _Writer:
    def __init__(self, account: Account, seed: int, today: date) -> None:
        self.account, self.today = account, today
        self.luck = Luck(seed + 77)
        self.number = 0

    def moment(self) -> datetime:
        """Some working hour of the last three months."""
        day = self.today - timedelta(days=self.luck.whole(0, 90))
        at = time(9 + self.luck.whole(0, 8), self.luck.whole(0, 59), self.luck.whole(0, 59))
        return datetime.combine(day, at, UTC) - _ZONE

    def id(self, host: str) -> str:
        """A new Message-ID."""
        self.number += 1
        return f"<{self.number}.{self.luck.whole(10**6, 10**7)}@{host}>"

    def put(self, raw: bytes, moment: datetime, folder: str = "INBOX") -> None:
        """A letter into a folder; it arrives half a minute after it was written."""
        self.account.folders[folder].add(raw, moment + timedelta(seconds=30))

    def asked(self, client: Client) -> None:
        """A client writes; mostly there is an answer, and now and then the client says thanks."""
        subject, said = self.luck.pick(_ASKED)
        n = self.luck.whole(100, 999)
        subject, said = subject.format(n=n), f"{said.format(n=n)}\n\nС уважением,\n{client.name}"
        host, moment = client.email.rpartition("@")[2], self.moment()
        first = self.id(host)
        head = self.head(client, moment, subject, first)
        files = [File(f"Заявка {n}.xlsx", "application/vnd.ms-excel", b"PK" + bytes(500))] if n % 3 == 0 else []
        charset = ("utf-8", "windows-1251", "koi8-r")[n % 3]
        self.put(letter(head, said, files=files, charset=charset), moment)
        if not self.luck.chance(0.7):
            return
        moment += timedelta(minutes=self.luck.whole(5, 300))
        answer = self.id("firma.example")
        head = {
            "From": person(OWN_NAME, USER),
            "To": person(client.name, client.email),
            "Subject": f"Re: {word(subject)}",
            "Date": dated(moment),
            "Message-ID": answer,
            "In-Reply-To": first,
            "References": first,
        }
        self.put(letter(head, _ANSWER.format(said=said.replace("\n", "\n> "))), moment, "Отправленные")
        if self.luck.chance(0.4):
            moment += timedelta(minutes=self.luck.whole(5, 100))
            head = self.head(client, moment, f"Re: {subject}", self.id(host))
            head |= {"In-Reply-To": answer, "References": f"{first} {answer}"}
            self.put(letter(head, "Спасибо, ждём!"), moment)

    @staticmethod
    def head(client: Client, moment: datetime, subject: str, message_id: str) -> dict[str, str]:
        """The head of a letter to us."""
        return {
            "From": person(client.name, client.email),
            "To": USER,
            "Subject": word(subject),
            "Date": dated(moment),
            "Message-ID": message_id,
        }

    def strangers(self) -> None:
        """People whom nobody knows."""
        for name, address, subject, charset in _STRANGERS:
            moment = self.moment()
            head = {
                "From": person(name, address, charset),
                "To": USER,
                "Subject": word(subject),
                "Date": dated(moment),
                "Message-ID": self.id(address.rpartition("@")[2]),
            }
            html = f"<p>{subject}</p><p>Телефон: +7 (495) 123-45-67</p>"
            self.put(letter(head, "", html=html, charset=charset), moment)

    def robots(self, client: Client) -> None:
        """A newsletter, an answer by itself, a letter that came back, a notice nobody reads answers to."""
        for kind, sender, subject, more in _robots(client):
            moment = self.moment()
            head = {
                "From": sender,
                "To": USER,
                "Subject": word(subject),
                "Date": dated(moment),
                "Message-ID": self.id("robot.example"),
                **more,
            }
            self.put(letter(head, f"Это письмо отправлено автоматически ({kind})."), moment)


def _robots(client: Client) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    news = {"List-Id": "<news.vestnik.example>", "List-Unsubscribe": "<mailto:stop@vestnik.example>"}
    yield "рассылка", "news@vestnik.example", "Новости отрасли за неделю", news
    yield "автоответ", client.email, "Автоответ: я в отпуске", {"Auto-Submitted": "auto-replied"}
    bounce = {"Return-Path": "<>", "X-Failed-Recipients": "nobody@firma.example"}
    yield "не доставлено", "MAILER-DAEMON@relay.example", "Undelivered Mail Returned to Sender", bounce
    yield "уведомление", "no-reply@bank.example", "Выписка по счёту готова", {}


def fill(account: Account, seed: int = 1, letters: int = 200, today: date = TODAY) -> int:
    """Letters for that account, about so many of clients; how many there are now."""
    writer = _Writer(account, seed, today)
    known = clients(seed, today)
    while sum(len(folder.letters) for folder in account.folders.values()) < letters:
        writer.asked(writer.luck.pick(known))
    writer.strangers()
    writer.robots(known[0])
    return sum(len(folder.letters) for folder in account.folders.values())

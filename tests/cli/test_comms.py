"""`obmen card` and `obmen activity`: what an admin reads of letters and calls, and his word on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.database import open_store
from mappings import profile
from tests.cli.conftest import Obmen, write
from tests.exchange.comms.world import PROFILES, Firm, make_firm

SETTINGS = """\
company_timezone: Europe/Moscow
own_domains: firm.ru
systems:
  crm: {kind: memory, url: memory, timezone: UTC, profile: people}
  post: {kind: memory, url: memory, timezone: UTC, profile: letters}
  pbx: {kind: memory, url: memory, timezone: UTC, profile: phone}
"""


@pytest.fixture
def firm(home: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    """A home whose clients and letters are exchanged: one of Ромашка, one of two, one of nobody."""
    monkeypatch.setattr(profile, "ROOT", PROFILES)
    write(home, SETTINGS)
    (home / "store.db").write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{home / 'store.db'}")
    made = make_firm(store, home, systems=(("post", "letters"), ("pbx", "phone")))
    made.client("romashka", "Ромашка", "info@romashka.ru", "+79160000001")
    made.client("ivan", "Иван Петров", "ivan@romashka.ru", firm="romashka")
    made.client("lutik", "Лютик", "+79160000001")
    made.order("З-1", "romashka", "closed")
    made.letter("own", "info@romashka.ru", "sales@firm.ru", subject="Цены на розы", answered=True)
    made.letter("person", "ivan@romashka.ru", "sales@firm.ru", minutes=5)
    made.letter("nobody", "who@gmail.com", "sales@firm.ru", minutes=6)
    made.call("shared", "+79160000001", "held", minutes=7)
    made.night()
    yield made
    store.close()


def test_a_card_tells_what_happened_and_why_it_is_there(obmen: Obmen, firm: Firm) -> None:
    """Orders and letters, those of contact persons among them, the newest first, each with its rule; by JSON too."""
    said = obmen("card", "party", "romashka")
    assert said.code == 0, said.both
    assert "«Ромашка»" in said.out
    assert "Люди: Иван Петров" in said.out
    assert "«Цены на розы» · held, ответили · по адресу или номеру info@romashka.ru" in said.out
    assert "по адресу или номеру ivan@romashka.ru, Иван Петров" in said.out
    assert "Заказ № " in said.out
    entries = obmen("card", "party", "romashka", "--json").document["result"]["entries"]
    assert [(one["kind"], one["rule"], one["via"]) for one in entries] == [
        ("email", "handle", "Иван Петров"),
        ("email", "handle", ""),
        ("sales_order", "reference", ""),
    ]
    assert [one["marks"] for one in entries] == [[], ["answered"], []]
    short = obmen("card", "party", "romashka", "--limit", "1", "--json").document["result"]
    assert (len(short["entries"]), short["total"]) == (1, 3)
    assert obmen("card", "party", "нет такого").code == 2


def test_what_waits_is_listed_and_answered(obmen: Obmen, firm: Firm) -> None:
    """Candidates stand below what may be theirs; a word takes it off the list, taken back it waits again."""
    said = obmen("activity")
    assert said.code == 1, said.both
    assert "клиент не найден: никто не известен" in said.out
    assert "подходят несколько клиентов" in said.out
    assert "«Лютик»" in said.out
    (one,) = obmen("activity", "--state", "ambiguous", "--json").document["result"]["activities"]
    number = str(one["activity_id"])
    assert {candidate["label"] for candidate in one["candidates"]} == {"Ромашка", "Лютик"}
    done = obmen("activity", "link", number, "lutik")
    assert done.code == 0, done.both
    assert "«Лютик»" in done.out
    ignored = obmen("activity", "ignore", str(firm.record("post", "nobody")))
    assert ignored.code == 0, ignored.both
    left = obmen("activity")
    assert (left.code, left.out.strip()) == (0, "Все события разобраны.")
    back = obmen("activity", "release", number)
    assert "подходят несколько клиентов" in back.out
    again = obmen("activity", "release", number)
    assert (again.code, "и так выбирают правила" in again.both) == (2, True)

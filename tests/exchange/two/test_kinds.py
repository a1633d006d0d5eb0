"""A client and a phone typed in one 1C appear in another over HTTP, each contact under a kind of that base."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from connectors.registry import open_connector
from hub.exchange.check import check_system
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store.database import Store
from stand.onec.generate.build import build
from stand.onec.generate.kinds import CONTACTS, KINDS, kind_of
from stand.onec.server import OneCStand
from stand.onec.unshown import unshown
from stand.onec.world import rows_of
from tests.exchange.installation import make_hub

CLIENTS = "Catalog_Контрагенты"
PROFILES = {"ut": "onec_ut11", "unf": "onec_unf"}
ROLES: tuple[Literal["trade", "crm"], ...] = ("trade", "crm")
GROUP = "СправочникКонтрагенты"
ROW = {"LineNumber": "1", "Тип": "Телефон", "Представление": "+7 (495) 111-22-33", "НомерТелефона": "74951112233"}


class Bases:
    """Stands by configuration, and a hub between them over HTTP."""

    def __init__(self, stands: dict[str, OneCStand], hub: Hub) -> None:
        self.stands, self.hub = stands, hub

    def client(self, code: str, name: str, inn: str, **more: Any) -> str:
        """A company as a user of the base enters it."""
        kind = "ЮрФизЛицо" if code == "ut" else "ВидКонтрагента"
        word = "ЮрЛицо" if code == "ut" else "ЮридическоеЛицо"
        fields = {"Ref_Key": str(uuid.uuid4()), "Description": name, "НаименованиеПолное": name, "ИНН": inn, kind: word}
        record = self.stands[code].world.add(CLIENTS, {**fields, "КПП": "773601001", **more})
        return str(record["Ref_Key"])

    def night(self) -> None:
        """Clients only."""
        run_exchange(self.hub, [f"{code}.party" for code in self.stands])

    def made(self, name: str) -> str:
        """The key of the one client of УНФ that has this name."""
        (record,) = [one for one in self.stands["unf"].world.records(CLIENTS) if one["Description"] == name]
        return str(record["Ref_Key"])

    def kinds(self, code: str, key: str, stream: str = CLIENTS) -> list[tuple[str, str, str]]:
        """Type of each contact with the name and the group of the kind it is shown under."""
        world = self.stands[code].world
        record = world.get(stream, key)
        assert record is not None
        found = []
        for row in rows_of(record.get(CONTACTS)):
            kind = world.get(KINDS, row.get("Вид_Key", "")) or {}
            group = world.get(KINDS, kind.get("Parent_Key", "")) or {}
            named = group.get("PredefinedDataName") or group.get("ИмяПредопределенногоВида", "")
            found.append((row["Тип"], kind.get("Description", ""), named))
        return sorted(found)


@pytest.fixture
def bases(quick: Store, tmp_path: Path) -> Iterator[Bases]:
    """УТ and УНФ with one client of their own, which both make of each other's clients; УТ is the master."""
    codes = ("ut", "unf")
    with ExitStack() as stack:
        stands = {
            code: stack.enter_context(
                OneCStand(build(3, clients=1, products=3, orders=1, today=date(2026, 11, 13), configuration=code))
            )
            for code in codes
        }
        systems = {
            code: SystemSettings(code, "onec_odata", "Europe/Moscow", PROFILES[code], url=stand.url, role=role)
            for (code, stand), role in zip(stands.items(), ROLES, strict=True)
        }
        connectors = {code: stack.enter_context(closing(open_connector(one))) for code, one in systems.items()}
        routes = {
            f"{code}.party": RouteSettings(f"{code}.party", write="all", create="always", create_in="counterparty")
            for code in codes
        }
        yield Bases(stands, make_hub(quick, tmp_path, connectors, systems, routes))


def test_a_contact_typed_elsewhere_is_shown_under_its_kind(bases: Bases) -> None:
    """A client of УТ is made in УНФ, its e-mail under УНФ's kind; a phone and a site typed there (nobody would see them
    in УНФ) come to УТ's card as «Телефон» and «Сайт» of УТ's own, and the next night is quiet.
    """
    mail = {"LineNumber": "1", "Тип": "АдресЭлектроннойПочты", "АдресЭП": "a@b.example", "Представление": "a@b.example"}
    mail["Вид_Key"] = kind_of("Контрагенты", "email")
    here = bases.client("ut", "ООО Василёк", "5001007322", **{CONTACTS: [mail]})
    bases.night()
    there = bases.made("ООО Василёк")
    email = ("АдресЭлектроннойПочты", "Электронная почта", GROUP)
    assert bases.kinds("unf", there) == [email]
    assert unshown(bases.stands["unf"].world) == []
    rows = rows_of((bases.stands["unf"].world.get(CLIENTS, there) or {}).get(CONTACTS))
    site = {"LineNumber": "3", "Тип": "ВебСтраница", "Представление": "vasilek.example"}
    bases.stands["unf"].world.edit(CLIENTS, there, {CONTACTS: [*rows, {**ROW, "LineNumber": "2"}, site]})
    bases.night()
    assert bases.kinds("ut", here) == [email, ("ВебСтраница", "Сайт", GROUP), ("Телефон", "Телефон", GROUP)]
    assert unshown(bases.stands["ut"].world) == []
    assert [row["why"] for row in unshown(bases.stands["unf"].world)] == ["no kind", "no kind"]
    before = bases.stands["ut"].requests.writes
    bases.night()
    assert bases.stands["ut"].requests.writes == before


def test_without_the_catalogue_of_kinds_no_row_is_written(bases: Bases) -> None:
    """УТ does not publish the kinds: a comment typed in УНФ comes, a phone does not, for nobody would see it. The check
    says so in one sentence, and no mapping is paused.
    """
    bases.stands["ut"].quirks.update({"unpublished": [KINDS]})
    here = bases.client("ut", "ООО Василёк", "5001007322")
    bases.night()
    there = bases.made("ООО Василёк")
    bases.stands["unf"].world.edit(CLIENTS, there, {CONTACTS: [ROW], "Комментарий": "звонить утром"})
    bases.night()
    record = bases.stands["ut"].world.get(CLIENTS, here)
    assert record is not None
    assert record["ДополнительнаяИнформация"] == "звонить утром"
    assert bases.kinds("ut", here) == []
    result = check_system(bases.hub, "ut")
    assert result.paused == {}
    (lacking,) = [one for one in result.not_found if one.params["stream"] == KINDS]
    assert lacking.code == "find_not_published"
    assert "counterparty: КонтактнаяИнформация.Вид_Key" in lacking.sentence("ru")

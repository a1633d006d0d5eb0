"""``obmen init``: a file that works, made from what a base tells, and never a password in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.base import StreamInfo
from connectors.onec_odata.connector import OneC
from hub.cli.init import machine_zone, title_of
from hub.model.settings import SecretRef, load_settings
from mappings.compiled import compile_profile
from stand.onec.generate.build import build
from stand.onec.model import BP_MODEL
from stand.onec.server import OneCStand
from tests.cli.conftest import PASSWORD, USER, VARIABLE, Obmen, all_files

ASK = ["--user", USER, "--password-env", VARIABLE, "--timezone", "Asia/Yekaterinburg"]


def test_a_blank_file_is_valid_and_says_what_to_fill_in(obmen: Obmen, home: Path) -> None:
    """Without a base the file has an example in it that the loader accepts, in either language."""
    for lang, word in (("ru", "Впишите"), ("en", "Put the address")):
        said = obmen("init", "--lang", lang, "--force")
        assert said.code == 0
        assert word in said.out
        settings = load_settings(home)
        assert settings.locale == lang
        assert settings.systems["ut"].profile == "onec_ut11"
        assert settings.systems["ut"].password is None


def test_a_base_is_asked_and_the_next_commands_work(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """From an address to a working installation in two commands: init, then check."""
    said = obmen("init", "--from", stand.url, *ASK)
    assert said.code == 0, said.both
    assert "onec_ut11" in said.out
    system = load_settings(home).systems["ut"]
    assert (system.url, system.user, system.timezone) == (stand.url, USER, "Asia/Yekaterinburg")
    assert system.password == SecretRef("env", VARIABLE)
    assert system.title == "1С trade"
    assert PASSWORD.encode() not in all_files(home)
    assert obmen("check").code == 0


def test_what_is_not_published_is_named_with_the_way_to_publish_it(
    obmen: Obmen, home: Path, stand: OneCStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base without warehouses: exit code 1, the missing object by its name, and where to tick it in 1C."""
    hide(monkeypatch, "Catalog_Склады")
    said = obmen("init", "--from", stand.url, *ASK)
    assert said.code == 1, said.both
    assert "Catalog_Склады" in said.out
    assert "Настройка стандартного интерфейса OData" in said.out
    document = obmen("init", "--from", stand.url, *ASK, "--force", "--json").document
    assert document["exit_code"] == 1
    found = document["result"]
    assert found["matched"] == found["wanted"] - 1
    assert "Catalog_Склады" in found["missing"][0]["sentence"]


SHAPES = {
    "unf": ("onec_unf", "1С:Управление нашей фирмой", "Документ.ЗаказПокупателя"),
    "bp": ("onec_bp3", "1С:Бухгалтерия предприятия 3.0", "Документ.СчетНаОплатуПокупателю"),
    "ut": ("onec_ut11", "1С:Управление торговлей 11", "Документ.ЗаказКлиента"),
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_each_configuration_gets_its_own_profile_and_choices(obmen: Obmen, home: Path, shape: str) -> None:
    """The base is recognised with a reason; the file names its documents, its exchange plan and its routes."""
    profile, title, document = SHAPES[shape]
    with OneCStand(
        build(1, clients=20, products=20, orders=30, configuration=shape), user=USER, password=PASSWORD
    ) as base:
        said = obmen("init", "--from", base.url, *ASK)
    assert said.code == 0, said.both
    assert title in said.out
    assert "есть только у неё" in said.out
    text = (home / "hub.yaml").read_text(encoding="utf-8")
    assert f"Похоже на: {title}." in text
    assert document in text
    assert "# exchange_plan: ДляODATA" in text
    code, system = next(iter(load_settings(home).systems.items()))
    assert system.profile == profile
    known = {f"{code}.{mapping.entity.name}" for mapping in compile_profile(profile, "Europe/Moscow").mappings.values()}
    offered = re.findall(r"^#   (\w+\.\w+): \{", text, re.MULTILINE)
    assert set(offered) == known - {f"{code}.vat_rate"} if shape == "bp" else set(offered) == known
    loosened = re.sub(r"^# routes:", "routes:", re.sub(r"^#   ", "  ", text, flags=re.MULTILINE), flags=re.MULTILINE)
    (home / "hub.yaml").write_text(loosened, encoding="utf-8")
    assert set(load_settings(home).routes) == set(offered)


@pytest.mark.parametrize("shape", ["bp", "unf"])
def test_after_init_everything_of_the_base_is_exchanged(obmen: Obmen, home: Path, shape: str) -> None:
    """Every route of another configuration delivers, one register's balances to two of them; twice changes nothing."""
    with OneCStand(
        build(1, clients=20, products=20, orders=30, configuration=shape), user=USER, password=PASSWORD
    ) as base:
        assert obmen("init", "--from", base.url, *ASK).code == 0
        first = obmen("exchange", "--json").document
        second = obmen("exchange", "--json").document
    assert (first["exit_code"], second["exit_code"]) == (0, 0)
    made = {route["route"]: route["created"] for route in first["result"]["routes"]}
    assert all(made.values()), made
    assert {f"{shape}.vat_rate", f"{shape}.stock_balance", f"{shape}.settlement_balance"} <= made.keys()
    for route in second["result"]["routes"]:
        assert route["created"] == route["updated"] == 0, route


def test_little_published_is_told_by_the_names_of_the_tree(
    obmen: Obmen, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A БП base that publishes only its clients, invoices and books is still БП; the rest is listed as 1C names it."""
    whole = BP_MODEL.sets
    kept = {"Catalog_Контрагенты", "Document_СчетНаОплатуПокупателю", "AccountingRegister_Хозрасчетный"}
    hide(monkeypatch, *(name for name in whole if name not in kept))
    with OneCStand(
        build(1, clients=20, products=20, orders=30, configuration="bp"), user=USER, password=PASSWORD
    ) as base:
        said = obmen("init", "--from", base.url, *ASK)
        again = obmen("init", "--from", base.url, *ASK, "--force", "--json").document["result"]
    assert said.code == 1, said.both
    assert "1С:Бухгалтерия предприятия 3.0" in said.out
    for name in ("Справочник.Номенклатура", "РегистрСведений.ЦеныНоменклатуры", "Документ.РеализацияТоваровУслуг"):
        assert f"  - {name} (" in said.out
    assert "Обработки → Настройка стандартного интерфейса OData" in said.out
    assert "Планы обмена не опубликованы" in (home / "hub.yaml").read_text(encoding="utf-8")
    assert (again["profile"], again["matched"]) == ("onec_bp3", 3)
    assert {"stream": "Catalog_Валюты", "object": "Справочник.Валюты"} in again["unpublished"]


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the base publish everything but these sets."""
    seen, listed = OneC.streams, OneC._service

    def streams(self: OneC) -> dict[str, StreamInfo]:
        return {name: info for name, info in seen(self).items() if name.partition("#")[0] not in names}

    monkeypatch.setattr(OneC, "streams", streams)
    monkeypatch.setattr(OneC, "_service", lambda self, report: listed(self, report) - set(names))


def test_a_base_of_another_kind_gets_no_file(
    obmen: Obmen, home: Path, stand: OneCStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no set of mappings fits at all, the admin is told so instead of getting a file that does nothing."""
    monkeypatch.setattr(OneC, "streams", lambda _: {"Catalog_Чужой": StreamInfo("Catalog_Чужой", {})})
    monkeypatch.setattr(OneC, "_service", lambda *_: {"Catalog_Чужой"})
    said = obmen("init", "--from", stand.url, *ASK, "--json")
    assert (said.code, said.document["error"]["code"]) == (2, "cli_init_no_profile")
    assert not (home / "hub.yaml").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--from", "srv/ut"], 2, "http"),
        (["--from", f"http://me:{PASSWORD}@srv/ut"], 2, "не должно быть имени и пароля"),
        (["--timezone", "MSK"], 2, "Europe/Moscow"),
        (["--user", "u", "--password-env", PASSWORD], 2, "--password-env"),
        (["--from", "http://127.0.0.1:9/ut", "--user", "u", "--password-env", "TEST_NOT_SET"], 2, "env:TEST_NOT_SET"),
        (["--from", "http://127.0.0.1:9/ut"], 3, "127.0.0.1"),
        (["--profile", "onec_zup"], 2, "onec_ut11"),
    ],
)
def test_nothing_is_written_when_something_is_wrong(
    obmen: Obmen, home: Path, quick: None, words: list[str], code: int, told: str
) -> None:
    """A bad address, zone or variable, a base that is down: a sentence, and no file."""
    said = obmen("init", *words)
    assert said.code == code, said.both
    assert told in said.err
    assert PASSWORD not in said.both
    assert "Traceback" not in said.both
    assert not (home / "hub.yaml").exists()


def test_a_wrong_password_is_told_before_anything_is_written(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """The base says no: exit code 2, no file."""
    stand.service.login.expected = "кто:то"
    said = obmen("init", "--from", stand.url, *ASK)
    assert said.code == 2
    assert "парол" in said.err
    assert USER in said.err
    assert VARIABLE in said.err
    assert "hub.yaml" not in said.err
    assert not (home / "hub.yaml").exists()


@pytest.mark.parametrize(("lang", "advice"), [("ru", "--user ИМЯ"), ("en", "--user NAME")])
def test_a_base_with_users_says_which_option_was_left_out(
    obmen: Obmen, home: Path, stand: OneCStand, lang: str, advice: str
) -> None:
    """Without --user the advice is how to give it and where the password goes, not to look into a file that is not."""
    said = obmen("init", "--from", stand.url, "--lang", lang)
    assert said.code == 2
    assert advice in said.err
    assert "OBMEN_1C_PASSWORD" in said.err
    assert "hub.yaml" not in said.err
    assert not (home / "hub.yaml").exists()


def test_a_file_that_is_there_is_kept(obmen: Obmen, home: Path) -> None:
    """Only --force replaces an admin's file."""
    (home / "hub.yaml").write_text("# мой\n", encoding="utf-8")
    said = obmen("init")
    assert said.code == 2
    assert "--force" in said.err
    assert (home / "hub.yaml").read_text(encoding="utf-8") == "# мой\n"
    assert obmen("init", "--force").code == 0


def test_what_comes_from_outside_cannot_break_the_file(obmen: Obmen, home: Path) -> None:
    """A user's name with quotes, colons and comment signs is read back as it was typed."""
    name = 'О\'Нил: "обмен" # {x}'
    assert obmen("init", "--user", name).code == 0
    assert load_settings(home).systems["ut"].user == name


def test_the_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zone of this machine is offered where it names a place; a server on UTC tells nothing about the company."""
    monkeypatch.setenv("TZ", "Asia/Omsk")
    assert machine_zone() == "Asia/Omsk"
    monkeypatch.setattr(Path, "is_symlink", lambda _: False)
    for nothing in ("", "UTC", "Etc/UTC", "Nowhere/Land", "MSK-3"):
        monkeypatch.setenv("TZ", nothing)
        assert machine_zone() == "Europe/Moscow"


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("http://srv/trade/odata/standard.odata", "1С trade"),
        ("https://1cfresh.com/a/ut/1234/odata/standard.odata", "1С 1234"),
        ("http://srv", "1С"),
    ],
)
def test_the_title_is_the_publication(address: str, title: str) -> None:
    """People know a base by the name it is published under."""
    assert title_of(address) == title

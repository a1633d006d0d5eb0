"""Every command of `obmen` is documented, and every documented one can be typed as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from dagster import Definitions

from hub.cli.main import build
from hub.definitions import load
from hub.texts import catalogue
from tests.docs.pages import page, pages
from tests.house.source import ROOT

GUIDES = ["README.md", "README.ru.md", "docs/admin.md", "docs/admin.ru.md"]
#: A command as a page shows it: alone on its line of a block (words after two blanks explain it), or as inline code.
SHOWN = re.compile(r"^(?:\$ )?obmen( .*)?$")


def commands() -> dict[str, click.Command]:
    """The commands that `obmen --help` lists."""
    return {name: command for name, command in build("en").commands.items() if not command.hidden}


def documented() -> Iterator[tuple[str, list[str]]]:
    """(page, words after `obmen`) of every call shown in any page."""
    for read in pages():
        for line in read.code():
            found = SHOWN.match(re.split(r" {2,}", line.strip())[0])
            if found and found[1]:
                yield str(read.path), found[1].split()


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_is_in_the_guides(name: str) -> None:
    """The README and the admin's page of each language together leave out no command."""
    twin = name.replace("README", "docs/admin") if "README" in name else name.replace("docs/admin", "README")
    text = page(name).text + page(twin).text
    assert [command for command in commands() if not re.search(rf"\bobmen {command}\b", text)] == []


def test_documented_calls_are_understood() -> None:
    """Each call shown in a page is parsed by the real command line: its command, arguments and options exist."""
    calls = list(documented())
    assert len(calls) > 15
    wrong = []
    for where, (name, *words) in calls:
        if name.startswith("-"):
            continue
        command = commands().get(name)
        if command is None:
            wrong.append(f"{where}: obmen {name}")
            continue
        try:
            command.make_context(name, [word.replace("…", "2026-01-31") for word in words], obj=None)
        except click.exceptions.Exit:
            continue
        except click.ClickException as error:
            wrong.append(f"{where}: obmen {name} {' '.join(words)}: {error.format_message()}")
    assert wrong == []


def test_the_makefile_calls_commands_that_exist() -> None:
    """What the make targets run are commands and options of `obmen`."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = re.findall(r"\$\(BIN\)/obmen (\w+)", text)
    assert called == ["demo"]
    assert "--once" in {flag for option in commands()["demo"].params for flag in option.opts}


def test_commands_that_messages_advise_exist() -> None:
    """An advice that says `obmen x` names a command that is there."""
    said = {
        name
        for entry in catalogue().values()
        for lang, text in entry.items()
        if lang.startswith("ru")  # in English "obmen runs" is a sentence
        for name in re.findall(r"\bobmen ([a-z]+)(?=[\s.,;:)»”`]|$)", text)
    }
    assert "check" in said
    assert said <= set(commands())


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    """What Dagster shows of the example installation; nothing is asked of a network."""
    home = tmp_path_factory.mktemp("home")
    (home / "hub.yaml").write_bytes((ROOT / "deploy/hub.yaml").read_bytes())
    return load(home)


@pytest.mark.parametrize("name", ["docs/admin.md", "docs/admin.ru.md"])
def test_what_the_ui_shows_is_explained(name: str, shown: Definitions) -> None:
    """Every job, schedule, sensor and asset group of the UI is named in the admin's page."""
    repository = shown.get_repository_def()
    jobs = {job for job in repository.job_names if not job.startswith("__")}
    names = jobs | {schedule.name for schedule in repository.schedule_defs}
    names |= {sensor.name for sensor in repository.sensor_defs}
    names |= {group for group in repository.asset_graph.all_group_names if group}
    text = page(name).text
    assert len(names) > 8
    assert sorted(entry for entry in names if f"`{entry}`" not in text) == []

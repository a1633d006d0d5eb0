"""The command line: its help, its complaints, its languages, and what it does with the unexpected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest

from hub.cli import check as check_module
from hub.cli import trouble
from hub.cli.call import language
from hub.cli.main import build
from tests.cli.conftest import PASSWORD, Obmen, settings, write
from tests.house.source import ROOT

COMMANDS = [
    "demo",
    "init",
    "check",
    "rules",
    "exchange",
    "backfill",
    "apply",
    "push",
    "why",
    "card",
    "activity",
    "recording",
    "pin",
    "unpin",
    "pins",
    "undo",
    "merge",
    "unmerge",
    "split",
    "judge",
    "duplicates",
    "status",
    "quarantine",
    "held",
    "conflicts",
    "pause",
    "resume",
    "system",
    "up",
]


@pytest.mark.parametrize(("lang", "word"), [("ru", "Команды"), ("en", "Commands")])
def test_help_lists_the_commands_in_the_readers_language(obmen: Obmen, lang: str, word: str) -> None:
    """Every command with its first sentence; without any words the same help is shown."""
    said = obmen("--lang", lang, "--help")
    assert said.code == 0
    assert word in said.out
    assert [line.split()[0] for line in said.out.split(word)[1].splitlines() if line[:3].strip(" :")] == COMMANDS
    assert obmen().out == obmen("--help").out


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("lang", ["ru", "en"])
def test_every_command_explains_itself(obmen: Obmen, name: str, lang: str) -> None:
    """Its own help names every option with a text, and nothing of the catalogue is missing."""
    said = obmen(name, "--help", "--lang", lang)
    assert said.code == 0
    assert "cli_" not in said.out
    command = build(lang).commands[name]
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    assert "--json" in said.out


def test_a_period_says_that_both_days_belong_to_it(obmen: Obmen) -> None:
    """Nobody has to guess whether the last day is read."""
    said = obmen("backfill", "--help")
    assert said.out.count("входит в период") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["exchnge"], "Команды exchnge нет. Возможно, вы имели в виду «exchange»."),
        (["exchange", "--jsn"], "Параметра --jsn нет. Возможно, вы имели в виду «--json»."),
        (["backfill", "ut.party", "--from", "2026-01-01"], "Не указано: --to."),
        (["backfill", "--from", "2026-01-01", "--to", "2026-01-02"], "Не указано: ROUTE"),
        (["--lang", "de", "status"], "--lang не подходит; допустимые: ru, en."),
        (["status", "--runs", "0"], "--runs не подходит"),
        (["up", "--port", "x"], "--port не подходит"),
        (["status", "now"], "Вызов не понят"),
    ],
)
def test_a_wrong_call_is_refused_with_exit_code_2(obmen: Obmen, words: list[str], told: str) -> None:
    """A sentence says what is wrong, the next line how to see the right form; nothing is done."""
    said = obmen(*words)
    assert said.code == 2
    assert said.out == ""
    assert told in said.err
    assert "--help" in said.err.splitlines()[-1]


def test_a_wrong_call_for_machines(obmen: Obmen) -> None:
    """With --json the refusal is a document too."""
    said = obmen("exchange", "--json", "--nope")
    assert said.code == 2
    assert said.document["exit_code"] == 2
    assert said.document["error"]["code"] == "call"


def test_general_options_stand_before_or_after_the_command(obmen: Obmen, home: Path, tmp_path: Path) -> None:
    """--home, --json and --lang mean the same in both places."""
    other = tmp_path / "other"
    before = obmen("--json", "--lang", "en", "--home", str(other), "status")
    after = obmen("status", "--json", "--lang", "en", "--home", str(other))
    assert before == after
    assert str(other) in before.document["error"]["sentence"]
    assert "is not there" in before.document["error"]["sentence"]
    assert not other.exists()


def test_the_language_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--lang beats the variable, the variable beats the settings, those beat Russian; broken settings do not matter."""
    assert language([]) == "ru"
    write(home, 'locale: "en" # broken from here on: [')
    assert language(["status"]) == "en"
    assert language(["--home", "/nowhere"]) == "ru"
    monkeypatch.setenv("OBMEN_LANG", "ru")
    assert language(["status"]) == "ru"
    assert language(["status", "--lang", "en"]) == "en"
    assert language(["--lang=en", "status", "--lang=xx"]) == "ru"


def test_the_unexpected_gives_a_sentence_and_a_file(
    obmen: Obmen, home: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is told in one sentence with the path of the traceback, which names no argument."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("внутри")

    write(home, settings("http://127.0.0.1:9/ut"))
    monkeypatch.setattr(check_module, "_exit_code", broken)
    said = obmen("check", "ut")
    assert said.code == 2
    assert "Traceback" not in said.both
    assert "ZeroDivisionError" in said.err
    (log,) = (home / "logs").glob("crash-*.log")
    assert str(log) in said.err
    text = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError: внутри" in text
    assert PASSWORD not in text
    document = obmen("check", "ut", "--json").document
    assert document["error"]["code"] == "crash"
    assert Path(document["error"]["log"]).is_file()


def test_an_interrupted_command_says_what_is_safe(
    obmen: Obmen, home: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with 130 and a sentence, not with a traceback."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    write(home, settings("http://127.0.0.1:9/ut"))
    monkeypatch.setattr(check_module, "_exit_code", interrupted)
    said = obmen("check")
    assert said.code == 130
    assert said.err.strip().startswith("Остановлено.")
    assert "Traceback" not in said.both


def test_a_mistyped_home_is_not_made(obmen: Obmen, tmp_path: Path) -> None:
    """A wrong --home leaves no folder behind."""
    said = obmen("exchange", "--home", str(tmp_path / "typo"))
    assert said.code == 2
    assert not (tmp_path / "typo").exists()


def test_logs_find_a_place_where_the_home_cannot_be_written(tmp_path: Path) -> None:
    """A file in the way of the folder: the traceback goes to the machine's temporary folder instead of being lost."""
    (tmp_path / "logs").write_text("", encoding="utf-8")
    path = trouble.write_crash(tmp_path, "check", ValueError("x"))
    try:
        assert path.parent == Path(tempfile.gettempdir())
        assert "ValueError: x" in path.read_text(encoding="utf-8")
    finally:
        path.unlink()


def called(*words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", *words],
        capture_output=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, **env},
    )


def test_a_poor_terminal_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Output in an encoding without Cyrillic shows question marks for people, and stays UTF-8 for machines."""
    env = {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    plain = called("--home", str(tmp_path), "status", **env)
    assert (plain.returncode, b"Traceback" in plain.stderr) == (2, False)
    machine = called("--home", str(tmp_path), "status", "--json", **env)
    assert "не найден" in json.loads(machine.stdout.decode("utf-8"))["error"]["sentence"]


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """``obmen --help | head -1`` ends quietly."""
    shell = f'"{sys.executable}" -m hub.cli --help | head -1'
    done = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout.decode().startswith("Вызов:")
    assert done.stderr == b""


def test_help_is_quick() -> None:
    """Help and complaints load neither Dagster nor the database layer."""
    heavy = "sorted({'dagster', 'pandas', 'alembic'} & set(sys.modules))"
    probe = f"import sys; from hub.cli.main import main; main(['--help']); print({heavy})"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_an_exchange_without_a_batch_loads_no_libraries_of_tables() -> None:
    """Fifty megabytes and half a second in every run: only who compares a whole base needs them."""
    heavy = "sorted({'dagster', 'pandas', 'polars', 'duckdb', 'numpy'} & set(sys.modules))"
    probe = f"import sys; import hub.exchange.service; print({heavy})"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout.decode().splitlines()[-1] == "[]"

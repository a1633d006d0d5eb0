"""The command called in this process, on a home of the test's own, with a small stand as its 1C base."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.web import Patience
from hub.cli.main import main
from stand.onec.generate.build import build
from stand.onec.server import OneCStand

USER, PASSWORD = "обмен", "секрет-Пароль-42"
VARIABLE = "TEST_UT_PASSWORD"


@dataclass(frozen=True)
class Said:
    """What one call of the command ended with and wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document, which must be all that standard output holds."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        found = json.loads(lines[0])
        assert isinstance(found, dict)
        return found

    @property
    def both(self) -> str:
        """Everything written."""
        return self.out + self.err


Obmen = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that the environment names, with the password of the stand's user in a variable."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("OBMEN_HOME", str(folder))
    monkeypatch.setenv(VARIABLE, PASSWORD)
    monkeypatch.delenv("OBMEN_LANG", raising=False)
    return folder


@pytest.fixture
def obmen(home: Path, capsys: pytest.CaptureFixture[str]) -> Obmen:
    """Calls the command as ``obmen(*words)``."""

    def call(*words: str) -> Said:
        capsys.readouterr()
        code = main(list(words))
        wrote = capsys.readouterr()
        return Said(code, wrote.out, wrote.err)

    return call


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    """A running stand with a few hundred documents; its user's name and password are Cyrillic."""
    world = build(seed=7, clients=60, products=40, orders=120, today=date(2026, 11, 13))
    with OneCStand(world, user=USER, password=PASSWORD) as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults that pass are tried again without the waits meant for a real base."""
    monkeypatch.setattr(Patience, "pause", lambda *_: 0.0)


def settings(url: str, *, password: str = f"{{env: {VARIABLE}}}", more: str = "") -> str:
    """``hub.yaml`` of a home with one base."""
    return (
        "company_timezone: Europe/Moscow\n"
        "systems:\n"
        "  ut:\n"
        "    kind: onec_odata\n"
        "    title: Торговля\n"
        f"    url: {url}\n"
        f"    user: {USER}\n"
        f"    password: {password}\n"
        "    timezone: Europe/Moscow\n"
        f"    profile: onec_ut11\n{more}"
    )


def write(home: Path, text: str) -> None:
    """Make ``text`` the settings of the home."""
    (home / "hub.yaml").write_text(text, encoding="utf-8")


def all_files(home: Path) -> bytes:
    """Everything that lies in the home, for looking for what must not."""
    return b"\n".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())

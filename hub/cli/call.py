"""How the command was called, and what it hands back: shared by every ``obmen`` command."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.model.settings import FILE_NAME, find_home
from hub.texts import LANGS, sentence

#: Exit codes of every command.
DONE, WAITS, WRONG, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(slots=True)
class Call:
    """Options that every command has. ``command``: its name, for the JSON form and the log."""

    lang: str = "ru"
    as_json: bool = False
    named_home: str | None = None
    command: str = ""

    @property
    def home(self) -> Path:
        """The home this call is about."""
        return find_home(self.named_home)

    def text(self, code: str, /, **params: Any) -> str:
        """A text of the command in the language of the call."""
        return sentence(f"cli_{code}", self.lang, **params)

    def state(self, state: str) -> str:
        """The state of a run or a route in words."""
        return sentence(f"report_state_{state}", self.lang)

    def mode(self, mode: str) -> str:
        """The mode of a run in words."""
        return sentence(f"report_mode_{mode}", self.lang).capitalize()

    def say(self, *lines: str) -> None:
        """Tell a person; with ``--json`` standard output belongs to the machine alone."""
        print(*lines, sep="\n", file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def emit(self, document: dict[str, Any]) -> None:
        """One JSON document on a line of its own."""
        line = json.dumps({"command": self.command, **document}, ensure_ascii=False, default=str)
        print(line, flush=True)  # noqa: T201


@dataclass(slots=True)
class Outcome:
    """What a command did: its exit code, the same for machines (JSON-able) and for people (lines)."""

    exit_code: int
    data: dict[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()


def language(arguments: Iterable[str]) -> str:
    """The language asked for: ``--lang``, ``$OBMEN_LANG``, ``locale`` of the home, Russian.

    Looked for before the command line is parsed, because the help and the complaints of the parser need it.
    """
    given = list(arguments)
    asked = [_option(given, "--lang"), os.environ.get("OBMEN_LANG", ""), _locale(_option(given, "--home"))]
    return next((lang for lang in asked if lang in LANGS), "ru")


def _option(arguments: Sequence[str], name: str) -> str:
    """The last value of an option, written ``--name value`` or ``--name=value``."""
    value = ""
    for at, argument in enumerate(arguments):
        if argument == name and at + 1 < len(arguments):
            value = arguments[at + 1]
        elif argument.startswith(f"{name}="):
            value = argument.partition("=")[2]
    return value


def _locale(named_home: str) -> str:
    """``locale`` of the settings, without judging them: a file that is wrong must still be complained of in it."""
    try:
        text = (find_home(named_home or None) / FILE_NAME).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r"^locale:\s*['\"]?(\w+)", text, flags=re.MULTILINE)
    return found[1] if found else ""

"""What an admin sees when something goes wrong: a sentence and an advice, never a traceback."""

from __future__ import annotations

import logging
import os
import platform
import sys
import tempfile
import traceback
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from hub import __version__
from hub.model.errors import HubError
from hub.model.settings import SettingsInvalid

_LOG_BYTES = 5_000_000
_HANDLER = "obmen-command"
_LOGGERS = ("obmen", "hub", "connectors")


def as_lines(error: HubError, lang: str) -> list[str]:
    """The sentence, then the advice."""
    return [text for text in (error.sentence(lang), error.advice(lang)) if text]


def as_dict(error: HubError, lang: str) -> dict[str, Any]:
    """The error for machines; of wrong settings with every problem by itself."""
    told: dict[str, Any] = {"code": error.code, "sentence": error.sentence(lang), "advice": error.advice(lang)}
    if isinstance(error, SettingsInvalid):
        told["problems"] = [
            {"line": item.line, "where": item.where, "code": item.code, "text": item.text(lang)}
            for item in error.problems
        ]
    return told


def logs_folder(home: Path) -> Path:
    """``<home>/logs``; the machine's temporary folder where that cannot be written."""
    folder = home / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir())
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())


def write_crash(home: Path, command: str, error: BaseException) -> Path:
    """Keep the traceback of an unexpected error in a file of its own; its path. No arguments, no variables' values."""
    now = datetime.now().astimezone()
    path = logs_folder(home) / f"crash-{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
    about = (
        f"obmen {__version__} {command} · Python {sys.version.split()[0]} · {platform.platform()} · {now.isoformat()}"
    )
    path.write_text("\n".join([about, *traceback.format_exception(error)]), encoding="utf-8")
    return path


def log_to(home: Path) -> None:
    """Send what the house logs to ``<home>/logs/obmen.log`` and nowhere else: the terminal belongs to the person."""
    stop_logging()
    if not home.is_dir():
        return  # nothing of ours runs without a home, and a mistyped --home must not make one
    path = logs_folder(home) / "obmen.log"
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8", delay=True)
    handler.set_name(_HANDLER)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def stop_logging() -> None:
    """Undo ``log_to``."""
    root = logging.getLogger()
    for handler in [item for item in root.handlers if item.get_name() == _HANDLER]:
        root.removeHandler(handler)
        handler.close()

"""The settings of one installation: where they are and how they are read.

A *home* is the folder of one installation: ``hub.yaml``, the embedded store, Dagster's own files, logs. Every key is
described in ``docs/settings.md``.
"""

from __future__ import annotations

import os
from pathlib import Path

from hub.model.settings_file import FILE_NAME, read_settings
from hub.model.settings_routes import BudgetSettings, BySettings, PolicySettings, RouteSettings
from hub.model.settings_types import (
    Problem,
    SecretRef,
    Settings,
    SettingsInvalid,
    SystemSettings,
)

__all__ = [
    "FILE_NAME",
    "BudgetSettings",
    "BySettings",
    "PolicySettings",
    "Problem",
    "RouteSettings",
    "SecretRef",
    "Settings",
    "SettingsInvalid",
    "SystemSettings",
    "find_home",
    "load_settings",
]


def find_home(explicit: str | None = None) -> Path:
    """The home meant: ``explicit``, else ``$OBMEN_HOME``, else here if ``hub.yaml`` is here, else ``~/.obmen``."""
    named = explicit or os.environ.get("OBMEN_HOME")
    if named:
        return Path(named).expanduser().resolve()
    here = Path.cwd()
    return here if (here / FILE_NAME).is_file() else Path.home() / ".obmen"


def load_settings(home: Path) -> Settings:
    """Read ``home/hub.yaml``; ``NeedsPerson(settings_missing)`` without one, ``SettingsInvalid`` with all problems."""
    return read_settings(home.resolve() / FILE_NAME)

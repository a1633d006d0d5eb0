"""What a telephone exchange's call records are opened with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

from connectors.sql_tables.config import SqlSettings
from hub.model.settings_comms import CallSettings


@dataclass(frozen=True, slots=True)
class PbxSettings:
    """``sql``: the database, or where ``files`` is given only title, zone and sizes. ``code``: of the system.

    ``files``: ``Master.csv``, or the folder that it lies in. ``settle``: seconds without a new row after which a call
    is over. ``chunk``: rows that are looked at in one transaction.
    """

    sql: SqlSettings
    code: str
    calls: CallSettings = field(default_factory=CallSettings)
    files: str = ""
    settle: float = 60.0
    chunk: int = 5000

    @property
    def extension(self) -> re.Pattern[str]:
        """What an extension of ours looks like."""
        return re.compile(self.calls.extensions)

    @property
    def reach(self) -> timedelta:
        """How far from the start of a call its rows are looked for, and how far back a poll looks."""
        return timedelta(hours=self.calls.look_back_hours)

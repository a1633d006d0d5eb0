"""What a check found: a sentence with its numbers, and a small table without any person's data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from hub.texts import advice, sentence

#: Rows of a finding's table: enough to see what it is about.
MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """``severity`` of a finding that has not passed: *warn* asks to look, *error* says the data is wrong.

    ``numbers``: by label code, plotted over time. ``table``: rows by label code.
    """

    passed: bool
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    severity: Literal["warn", "error"] = "error"
    numbers: dict[str, int | float] = field(default_factory=dict)
    table: tuple[dict[str, Any], ...] = ()

    def text(self, lang: str) -> str:
        """What is wrong, how many, since when, what to do."""
        return f"{sentence(self.code, lang, **self.params)} {advice(self.code, lang, **self.params)}".strip()

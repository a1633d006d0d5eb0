"""The catalogue: everything a person reads, in Russian and English, one YAML file per area beside this module.

An entry is ``code: {ru: …, en: …, ru_advice: …, en_advice: …}``; advice is optional. ``{name}`` marks are filled from
the parameters of the call. A test proves that every code used in the house is here, in both languages.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

LANGS = ("ru", "en")


class _Missing(dict[str, Any]):
    """Parameters for ``format_map``; an unfilled mark stays visible instead of failing the message."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All entries by code; a code that stands in two files is a programming error (``ValueError``)."""
    entries: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for code, entry in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            if code in entries:
                raise ValueError(f"text {code!r} stands twice, the second time in {path.name}")
            entries[code] = entry
    return entries


def _fill(code: str, key: str, params: dict[str, Any]) -> str:
    entry = catalogue().get(code, {})
    return entry.get(key, "").format_map(_Missing(params)).strip()


def sentence(code: str, lang: str = "ru", **params: Any) -> str:
    """The text of ``code``; the code itself when the catalogue does not know it, so that nothing is ever silent."""
    return _fill(code, lang, params) or code


def advice(code: str, lang: str = "ru", **params: Any) -> str:
    """What to do about ``code``; empty when the entry has no advice."""
    return _fill(code, f"{lang}_advice", params)

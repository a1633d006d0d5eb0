"""Recorded feeds of a real base as JSON records (every scalar a text), for tests that have them at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

_ATOM = "{http://www.w3.org/2005/Atom}"
_META = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "onec" / "trade_demo"


def need(name: str) -> Path:
    """The recorded file of that name; skips the test, saying so, where the recordings are absent."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"the recorded 1C feeds are not here (../shared/data/onec/trade_demo/{name})")
    return path


def records(name: str, term: str) -> list[bytes]:
    """All entries of one type in a recorded feed, as raw JSON."""
    root = ET.parse(need(name)).getroot()  # noqa: S314  (a file of our own)
    found = []
    for entry in root.findall(f"{_ATOM}entry"):
        category = entry.find(f"{_ATOM}category")
        assert category is not None
        if category.get("term") == f"StandardODATA.{term}":
            properties = next(entry.iter(f"{_META}properties"))
            found.append(json.dumps(_object(properties), ensure_ascii=False).encode())
    return found


def _object(element: ET.Element) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if (child.get(f"{_META}type") or "").startswith("Collection("):
            result[name] = [_object(row) for row in child]
        elif child.get(f"{_META}null") == "true":
            result[name] = None
        else:
            result[name] = child.text or ""
    return result

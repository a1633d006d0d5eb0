"""Rows out of answers: JSON at a path, CSV with or without a line of headings."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.cloud_pbx.faults import decoded
from connectors.onec_odata.answers import Answer


class Cut(Exception):
    """The answer did not come whole: it is asked for again."""


class Unexpected(Exception):
    """The answer is of another form than the description says."""


class NotService(Exception):
    """A web page came: somebody else answered."""


def is_page(answer: Answer) -> bool:
    """Whether a web page came, by what it begins with: not every service declares what it sends."""
    return bytes(answer.content[:512]).lstrip().startswith(b"<")


def json_rows(*path: str) -> Callable[[Answer], list[Mapping[str, Any]]]:
    """Rows of a list in JSON, at the end of this path; the names of a step may be several (``calls|items``)."""

    def rows(answer: Answer) -> list[Mapping[str, Any]]:
        if answer.status == 204:
            return []
        if is_page(answer):
            raise NotService
        found = decoded(answer)
        if found is None:
            raise Cut
        for step in path:
            found = next((found[name] for name in step.split("|") if isinstance(found, dict) and name in found), None)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unexpected
        return found

    return rows


def csv_rows(columns: Sequence[str] = (), heading: str = "") -> Callable[[Answer], list[Mapping[str, Any]]]:
    """Rows of a text with ``;`` between values. Without ``columns`` the first line names them, with ``heading`` among
    them.
    """

    def rows(answer: Answer) -> list[Mapping[str, Any]]:
        if is_page(answer):
            raise NotService
        if isinstance(decoded(answer), dict):
            raise Unexpected
        try:
            text = bytes(answer.content).decode("utf-8")
        except UnicodeDecodeError:
            raise Cut from None
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=";") if any(line)]
        names = list(columns) or ([name.strip() for name in lines.pop(0)] if lines else [])
        if heading and names and heading not in names:
            raise Unexpected
        if any(len(line) < len(names) for line in lines[:-1]):
            raise Unexpected
        if lines and len(lines[-1]) < len(names):
            raise Cut
        return [dict(zip(names, line, strict=False)) for line in lines]

    return rows

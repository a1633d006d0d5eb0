"""Why something is not sent, in words that name nobody: for reports, Dagster and whoever else may read along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from hub.model.entities import ENTITIES
from hub.texts import advice, catalogue, sentence

#: Parameters of a reason that hold nobody's data. Of a field the table alone: a path may hold a phone number.
_SAFE = ("system", "stream", "route", "wanted", "limit", "population", "until", "run", "places")


def unfilled(text: str) -> str:
    """``text`` with the marks that nothing filled shown as dots: a sentence about many records names no value."""
    return re.sub(r"\{\w+\}", "…", text)


def safe(params: Mapping[str, Any]) -> dict[str, Any]:
    """What of a reason's parameters may be shown to anybody."""
    told = {name: params[name] for name in _SAFE if params.get(name) is not None}
    if params.get("field"):
        told["field"] = re.split(r"[\[.]", str(params["field"]))[0]
    return told


@cache
def labels() -> dict[str, str]:
    """Russian names of fields and child tables by their own; one that several entities have is called alike in all."""
    entities = list(reversed(ENTITIES.values()))
    fields = {item.name: item.ru for entity in entities for item in entity.fields}
    return fields | {child.name: child.ru for entity in entities for child in entity.children}


def known(code: str) -> str:
    """The entry of the catalogue for a reason, or for a state that stands in place of one."""
    return code if code in catalogue() else f"owed_{code}"


def why(code: str, lang: str, **params: Any) -> tuple[str, str]:
    """Sentence and advice of a reason; what it does not know is shown as dots."""
    code = known(code)
    if lang == "ru" and params.get("field"):
        params["field"] = labels().get(params["field"], params["field"])
    return unfilled(sentence(code, lang, **params)).strip(" …"), unfilled(advice(code, lang, **params))

"""What ``obmen init`` learns from a base: its configuration, what it does not publish, which choices it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.base import CheckReport, StreamInfo
from hub.cli.call import Call
from hub.model.errors import HubError, NeedsPerson
from hub.model.settings import SystemSettings

if TYPE_CHECKING:
    from mappings.compiled import CompiledProfile
    from mappings.configurations import Recognised

DEFAULT_PROFILE = "onec_ut11"
_PLAN = "ExchangePlan_"
#: Signs told as the reason for a choice; more than a few convince nobody further.
_SHOWN = 3


@dataclass(slots=True)
class Found:
    """What a base told. ``missing``: what a mapping would need and the base does not publish, by the sentence that says
    so; ``unpublished``: the sets among it. ``plans``: exchange plans that are published.
    """

    report: CheckReport = field(default_factory=CheckReport)
    profile: str = DEFAULT_PROFILE
    base: Recognised | None = None
    compiled: CompiledProfile | None = None
    missing: list[HubError] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)


def ask(system: SystemSettings, profile: str | None) -> Found:
    """What the base tells; a base that cannot be used ends the command with its first problem."""
    from connectors.registry import open_connector
    from mappings.compiled import compile_profile
    from mappings.configurations import families, recognise

    with closing(open_connector(system)) as connector:
        found = Found(connector.check())
        if found.report.problems:
            raise found.report.problems[0]
        streams = connector.streams()
    found.base = recognise(streams, profile)
    if found.base is None:
        raise NeedsPerson("cli_init_no_profile", number=len(streams), known=", ".join(f.profile for f in families()))
    found.profile = found.base.profile
    found.compiled = compile_profile(found.profile, system.timezone, None, streams)
    found.missing = [problem for problems in found.compiled.paused.values() for problem in problems]
    gone = [str(problem.params["stream"]) for problem in found.missing if problem.code == "mapping_stream_missing"]
    found.unpublished = list(dict.fromkeys(gone))
    found.plans = _plans(streams)
    return found


def _plans(streams: Mapping[str, StreamInfo]) -> list[str]:
    """Exchange plans that changes could be read from; a name goes into the file, so it must be no more than a name."""
    names = [name.removeprefix(_PLAN) for name in streams if name.startswith(_PLAN)]
    return sorted(name for name in names if re.fullmatch(r"\w+", name))


def why(call: Call, base: Recognised) -> str:
    """Why this configuration, in a sentence."""
    shown = [_sign(sign) for sign in base.signs[:_SHOWN]]
    if not shown:
        return call.text("init_why_share", matched=base.matched, wanted=base.wanted)
    told = call.text("init_why", signs=", ".join(shown))
    if base.edition:
        told += " " + call.text("init_why_edition", signs=", ".join(map(_sign, base.edition)))
    return told


def _sign(sign: str) -> str:
    """``Справочник.Контрагенты.Партнер`` for ``Catalog_Контрагенты.Партнер_Key``."""
    from mappings.configurations import tree_name

    name, _, attribute = sign.partition(".")
    attribute = attribute.removesuffix("_Key").removesuffix("_Type")
    return ".".join(filter(None, (tree_name(name), attribute)))


def choice_notes(call: Call, found: Found) -> list[str]:
    """Comments beside ``profile``: what was recognised, why, and what else there is."""
    from mappings.configurations import families

    others = ", ".join(family.profile for family in families() if family.profile != found.profile)
    notes = [call.text("init_note_others", others=others)]
    if found.base is not None:
        notes = [call.text("init_note_base", title=found.base.titles[call.lang]), why(call, found.base), *notes]
    return notes


def feed_notes(call: Call, found: Found) -> list[str]:
    """Comments about reading only what has changed: which plans there are, and the two keys that choose one."""
    if found.base is None:
        return [call.text("init_note_plan"), "exchange_plan: ДляОбмена", "node: OBMEN"]
    if not found.plans:
        return [call.text("init_note_no_plans")]
    notes = [call.text("init_note_plans", plans=", ".join(found.plans))]
    return [*notes, f"exchange_plan: {found.plans[0]}", "node: OBMEN"]


def route_notes(found: Found, system: str) -> Iterator[str]:
    """Comments about routes: those of this base, one a line, with what each may be set to."""
    from mappings.configurations import tree_name

    if found.compiled is None:
        yield f"{system}.sales_order: {{read: window, window_days: 60}}"
        yield f"{system}.price: {{enabled: false}}"
        return
    sources: dict[str, list[str]] = {}
    dated: set[str] = set()
    for mapping in found.compiled.mappings.values():
        if not mapping.given:
            sources.setdefault(mapping.entity.name, []).append(tree_name(mapping.stream))
        if mapping.date_field:
            dated.add(mapping.entity.name)
    for entity, names in sources.items():
        setting = "read: window, window_days: 60" if entity in dated else "enabled: false"
        yield f"{system}.{entity}: {{{setting}}}   # {', '.join(dict.fromkeys(names))}"

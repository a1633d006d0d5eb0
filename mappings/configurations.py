"""Which typical configuration a base is, by what it publishes; and how 1C itself names what a stream reads.

The signs stand in ``configurations.yaml``. A base publishes what its admin has ticked, so any of them may be missing:
what counts is which family's own objects are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from connectors.base import StreamInfo
from mappings.profile import read_profile

_FILE = Path(__file__).parent / "configurations.yaml"
#: How the tree of a configuration, and the list of what is published, name an object; by the prefix of its set.
_TREE = {
    "Catalog": "Справочник",
    "Document": "Документ",
    "DocumentJournal": "ЖурналДокументов",
    "Constant": "Константа",
    "ExchangePlan": "ПланОбмена",
    "ChartOfAccounts": "ПланСчетов",
    "ChartOfCharacteristicTypes": "ПланВидовХарактеристик",
    "ChartOfCalculationTypes": "ПланВидовРасчета",
    "InformationRegister": "РегистрСведений",
    "AccumulationRegister": "РегистрНакопления",
    "AccountingRegister": "РегистрБухгалтерии",
    "CalculationRegister": "РегистрРасчета",
    "BusinessProcess": "БизнесПроцесс",
    "Task": "Задача",
}


def tree_name(stream: str) -> str:
    """``РегистрСведений.ЦеныНоменклатуры`` for ``InformationRegister_ЦеныНоменклатуры_RecordType``."""
    prefix, _, name = stream.partition("#")[0].removesuffix("_RecordType").partition("_")
    return f"{_TREE[prefix]}.{name}" if prefix in _TREE and name else stream


@dataclass(frozen=True, slots=True)
class Family:
    """Configurations that one profile reads. ``editions``: titles by language, with what tells the edition."""

    profile: str
    titles: Mapping[str, str]
    only: tuple[str, ...]
    often: tuple[str, ...]
    editions: tuple[tuple[Mapping[str, str], tuple[str, ...]], ...]


@cache
def families() -> tuple[Family, ...]:
    """The families there is a profile for."""
    parts: list[dict[str, Any]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))["families"]
    return tuple(
        Family(
            part["profile"],
            {"ru": part["ru"], "en": part["en"]},
            tuple(part["only"]),
            tuple(part["often"]),
            tuple(({"ru": item["ru"], "en": item["en"]}, tuple(item["with"])) for item in part.get("editions", ())),
        )
        for part in parts
    )


@dataclass(frozen=True, slots=True)
class Recognised:
    """``titles``: the configuration by language. ``signs``: published objects that only its family has (sets, or
    ``Set.Field``); without any the choice is by ``matched`` of ``wanted`` objects alone. ``edition``: what told the
    edition.
    """

    profile: str
    titles: Mapping[str, str]
    signs: tuple[str, ...]
    edition: tuple[str, ...]
    matched: int
    wanted: int


def recognise(streams: Mapping[str, StreamInfo], asked: str | None = None) -> Recognised | None:
    """The configuration a base is, or how it fits the profile that was ``asked`` for; ``None`` if it fits none."""
    found = [(_rank(family, streams), family) for family in families() if asked in (None, family.profile)]
    if not found and asked is not None:
        matched, wanted = _share(asked, streams)
        return Recognised(asked, {"ru": asked, "en": asked}, (), (), matched, wanted)
    (signs, _, _), family = max(found, key=lambda item: item[0])
    matched, wanted = _share(family.profile, streams)
    if not signs and not matched and asked is None:
        return None
    titles, edition = _edition(family, streams)
    return Recognised(family.profile, titles, _published(family.only, streams), edition, matched, wanted)


def _rank(family: Family, streams: Mapping[str, StreamInfo]) -> tuple[int, int, float]:
    matched, wanted = _share(family.profile, streams)
    return len(_published(family.only, streams)), len(_published(family.often, streams)), matched / wanted


def _share(profile: str, streams: Mapping[str, StreamInfo]) -> tuple[int, int]:
    wanted = {spec.stream for spec in read_profile(profile) if not spec.given}
    return len(wanted & streams.keys()), len(wanted)


def _edition(family: Family, streams: Mapping[str, StreamInfo]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    for titles, signs in family.editions:
        if found := _published(signs, streams):
            return titles, found
    return family.titles, ()


def _published(signs: tuple[str, ...], streams: Mapping[str, StreamInfo]) -> tuple[str, ...]:
    found = []
    for sign in signs:
        name, _, field = sign.partition(".")
        if name in streams and (not field or field in streams[name].fields):
            found.append(sign)
    return tuple(found)

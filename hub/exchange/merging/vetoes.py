"""What speaks against two clients being one. A rule never goes over it; a person may, knowing each of the sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from sqlalchemy import Connection

from hub.engine.cells import Value
from hub.exchange.cards.card import Card
from hub.exchange.cards.refs import References
from hub.exchange.merging.judgements import between
from hub.exchange.merging.told import Veto

#: Asked for each record that is to be merged: the survivor, the other one.
Vetoes: TypeAlias = Callable[[Connection, References, Card, Card], list[Veto]]

#: Columns of an identifier's row: its scheme, its value, whether its check digits are right.
_SCHEME, _NORM, _VALID = 0, 2, 3
_ENDINGS = ("inn", "ogrn", "ogrnip")


def known_vetoes(conn: Connection, refs: References, survivor: Card, other: Card) -> list[Veto]:
    """Valid ИНН, ОГРН or ОГРНИП that differ; one ИНН with two КПП (a branch); kinship; a person's "different".

    Two legal entities of one partner count as kin as long as one has no ИНН: that is what a partner has several for.
    """
    mine, theirs = _numbers(survivor), _numbers(other)
    found = [
        _veto(f"veto_{scheme}", survivor, other, mine[scheme], theirs[scheme])
        for scheme in _ENDINGS
        if mine[scheme] and theirs[scheme] and not mine[scheme] & theirs[scheme]
    ]
    if mine["inn"] & theirs["inn"] and mine["kpp"] and theirs["kpp"] and not mine["kpp"] & theirs["kpp"]:
        found.append(_veto("veto_kpp", survivor, other, mine["kpp"], theirs["kpp"]))
    for one, two in ((survivor, other), (other, survivor)):
        found += [Veto(code, {"one": one.record_id, "other": two.record_id}) for code in _kinship(refs, one, two)]
    if not (mine["inn"] and theirs["inn"]) and _partner(refs, survivor) == _partner(refs, other) is not None:
        found.append(Veto("veto_siblings", {"one": survivor.record_id, "other": other.record_id}))
    said = between(conn, survivor.record_id, other.record_id)
    if said is not None and said.verdict == "different":
        who = {"by": said.by, "at": f"{said.at:%d.%m.%Y}", "note": f" ({said.note})" if said.note else ""}
        found.append(Veto("veto_judged", {"one": survivor.record_id, "other": other.record_id, **who}))
    return found


def _veto(code: str, one: Card, other: Card, mine: Iterable[str], theirs: Iterable[str]) -> Veto:
    told = {"mine": ", ".join(sorted(mine)), "theirs": ", ".join(sorted(theirs))}
    return Veto(code, {"one": one.record_id, "other": other.record_id, **told})


def _numbers(card: Card) -> dict[str, set[str]]:
    """Identifiers by scheme, without those whose check digits are wrong."""
    found: dict[str, set[str]] = {scheme: set() for scheme in (*_ENDINGS, "kpp")}
    for path, row in card.cells.items():
        if path.startswith("party_identifier[") and isinstance(row, tuple) and row[_VALID] != 0:
            scheme, value = str(row[_SCHEME]), row[_NORM]
            if scheme in found and value:
                found[scheme].add(str(value))
    return found


def _kinship(refs: References, one: Card, other: Card) -> list[str]:
    """A firm and its branch, a partner and the legal entity that documents are made out to, are not one client."""
    names: dict[str, Value] = {
        "veto_branch": one.cells.get("head_party"),
        "veto_partner": one.cells.get("commercial_party"),
    }
    return [
        code for code, link_id in names.items() if isinstance(link_id, int) and refs.record(link_id) == other.record_id
    ]


def _partner(refs: References, card: Card) -> int | None:
    """The record of the partner behind a legal entity."""
    link_id = card.cells.get("commercial_party")
    return refs.record(link_id) if isinstance(link_id, int) else None

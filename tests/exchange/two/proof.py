"""What must be true of a life, whatever happened in it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select

from hub.engine.arrive import golden_of
from hub.engine.cells import Contribution
from hub.exchange.cards.card import load
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.refs import References
from hub.store import core, tables
from tests.exchange.two.differences import STREAMS, not_taken, unexplained
from tests.exchange.two.life import ENTITIES, Life
from tests.exchange.two.living import is_text

#: So many undisturbed nights are enough for everything to come to rest.
NIGHTS = 6
_RESTING = {"held", "failed", "waiting", "unknown"}


def settle(life: Life) -> None:
    """Nights in peace until one changes nothing; then one more must write and change nothing at all."""
    for base in life.bases.values():
        base._lost.clear()
        base._faults.clear()
        base._between.clear()
    for _ in range(NIGHTS):
        before = _state(life)
        assert life.night(days=2)
        assert_healthy(life)
        if _state(life) == before:
            break
    else:
        raise AssertionError(f"no rest after {NIGHTS} nights: {_difference(before, _state(life))}")
    writes, before = life.writes(), _state(life)
    assert life.night(days=2)
    assert life.writes() == writes, "a further night writes"
    assert _state(life) == before, "a further night changes something"
    assert {report.counters.updated for report in life.reports[-1].routes} == {0}


def assert_healthy(life: Life) -> None:
    """The last night met no error."""
    report = life.reports[-1]
    errors = [part.error for part in report.routes if part.error is not None]
    errors += [part.error for part in report.pushes if part.error is not None]
    assert not errors, errors


def assert_sound(life: Life) -> None:
    """What holds at any time between two nights: golden rows are what the contributions make, and nothing is twice."""
    for entity in ENTITIES:
        root = tables.ROOTS[entity]
        with life.store.read() as conn:
            ids = list(conn.execute(select(root.c.id)).scalars())
            refs = References()
            cards = load(conn, entity, ids, refs, lock=False)
        same, rules = layout_of(entity).same(refs), life.hub.rules.rules(entity)
        for card in cards.values():
            assert card.links, f"{entity} {card.record_id} has no link"
            golden = {path: cell.value for path, cell in golden_of(card.known, rules, same).items()}
            if card.known.contributions:
                differ = {
                    path: (card.cells.get(path), golden.get(path))
                    for path in card.cells.keys() | golden.keys()
                    if not same(path, card.cells.get(path), golden.get(path))
                }
                assert not differ, f"{entity} {card.record_id}: stored, resolved {differ}"
            for one in card.known.contributions:
                if one.system in life.bases:
                    _own_words(life, one, card.links[one.link_id].external_id)
    _journal(life)
    _no_twins(life)


def _own_words(life: Life, one: Contribution, key: str) -> None:
    """What counts as a system's own word was typed in it, and within the interval that is remembered.

    Where records tell when they were changed, the interval is of some save of the card after the text was typed.
    """
    base = life.bases[one.system]
    said = base.said
    for path, own in one.own.items():
        if is_text(own.value) and path != "display_name":  # shows another field where it is empty itself
            assert str(own.value) in said, f"{one.system} {path}: our echo {own.value!r} has become its own word"
            at = said[str(own.value)]
            saves = [save for save in base.saves[key] if save >= at] if base.fast is not None else [at]
            told = any(own.when.first <= save <= own.when.last for save in saves)
            assert told, f"{one.system} {path}: {own} was typed at {at}"


def _journal(life: Life) -> None:
    """Each row of the outbox has a living link; what is leased belongs to nobody after the night."""
    links = {row["id"]: row for row in life.rows(core.link)}
    for row in life.rows(core.outbox):
        assert row["link_id"] in links, row


def _no_twins(life: Life) -> None:
    """Of what the hub made itself each record has its link, and no system got two for one canonical record."""
    links = life.rows(core.link)
    for code, base in life.bases.items():
        for entity, stream in STREAMS.items():
            number = life.hub.streams[code][stream]
            of_record: Counter[int] = Counter(
                row["record_id"]
                for row in links
                if row["stream_id"] == number and row["external_id"] in base.made and row["record_id"] is not None
            )
            twice = [record for record, times in of_record.items() if times > 1]
            assert not twice, f"{code} {entity} {twice} made twice"


def assert_at_rest(life: Life) -> None:
    """After the last night: every record is here, every cell shows golden or says why not, no typed text is lost."""
    assert_sound(life)
    links, waiting = life.rows(core.link), not_taken(life)
    for code, base in life.bases.items():
        for entity, stream in STREAMS.items():
            number = life.hub.streams[code][stream]
            known = {row["external_id"]: row for row in links if row["stream_id"] == number}
            for (key,) in base.records[stream]:
                trouble = (number, key) in waiting
                assert trouble or (key in known and known[key]["record_id"]), f"{code} {entity} {key} is not here"
    apart = [told for entity in ENTITIES for told in unexplained(life, entity)]
    assert not apart, apart
    pending = life.rows(core.outbox, core.outbox.c.state.not_in(_RESTING))
    assert not pending, pending
    _nothing_lost(life)


def _nothing_lost(life: Life) -> None:
    """Each text that a person typed and the hub wrote over stands somewhere to be read."""
    crushed = [one for base in life.bases.values() for one in base.crushed if one[3] not in life.excused]
    told = _told(life)
    lost = [one for one in crushed if one[3] not in told]
    assert not lost, f"written over and told nowhere: {lost}"


def _told(life: Life) -> set[str]:
    """All texts of the change log and of conflicts."""
    texts: set[str] = set()
    for row in life.rows(core.change_log):
        texts |= {str(row["before"]), str(row["after"])}
        texts.update((row["field"] or "").replace("]", ",").replace("[", ",").split(","))
    for row in life.rows(core.conflict):
        texts |= {row[name] for name in ("base", "ours", "theirs") if isinstance(row[name], str)}
    return texts


def _state(life: Life) -> dict[str, Any]:
    """All that a night may change: rows of readers, words, journals of changes, and the bases."""
    tables_ = [tables.ROOTS[entity] for entity in ENTITIES]
    tables_ += [core.change_log, core.conflict, core.pin]
    state: dict[str, Any] = {table.name: life.rows(table) for table in tables_}
    state["contribution"] = [
        {name: row[name] for name in ("link_id", "own", "shown", "sent")} for row in life.rows(core.contribution)
    ]
    state["outbox"] = [(row["link_id"], row["state"], row["last_error"]) for row in life.rows(core.outbox)]
    state["link"] = [(row["id"], row["record_id"], row["state"], row["version"]) for row in life.rows(core.link)]
    for code, base in life.bases.items():
        state[f"base {code}"] = {stream: dict(records) for stream, records in base.records.items()}
    return state


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """What the later state has that the earlier one had not, table by table."""
    told = []
    for name in one.keys() | other.keys():
        before, after = one[name], other[name]
        if isinstance(after, dict):
            told += [
                f"{name}: {key}"
                for stream in after
                for key in after[stream]
                if before[stream].get(key) != after[stream][key]
            ]
            continue
        told += [f"{name}: {row}" for row in after if row not in before]
    return "\n".join(told)[:3000]

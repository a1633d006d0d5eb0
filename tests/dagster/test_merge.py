"""Duplicates as jobs: the same services as the command's, the same journal, personal data masked."""

from __future__ import annotations

from typing import Any

from dagster import ExecuteInProcessResult
from sqlalchemy import select

from hub.exchange.merging import merge, unmerge
from hub.exchange.merging.judgements import judgements
from hub.exchange.service import run_exchange
from hub.store import core, tables
from tests.dagster.conftest import Site
from tests.dagster.test_by_hand import act


def states(site: Site) -> dict[int, str]:
    """States of clients by number."""
    root = tables.ROOTS["party"]
    return {row.id: row.record_state for row in site.rows(select(root.c.id, root.c.record_state).order_by(root.c.id))}


def pair(site: Site) -> tuple[int, int]:
    """Two clients."""
    run_exchange(site.hub, ["ut.party"])
    one, other, *_ = (number for number, state in states(site).items() if state == "active")
    return one, other


def journal(site: Site) -> list[tuple[Any, ...]]:
    """What the last run of each left: its row but for names, and its rows of the change log."""
    run = site.rows(select(core.exchange_run).order_by(core.exchange_run.c.id.desc()))[0]
    log = core.change_log
    rows = site.rows(
        select(log.c.entity, log.c.record_id, log.c.link_id, log.c.op, log.c.field, log.c.before, log.c.after)
        .where(log.c.run_id == run.id)
        .order_by(log.c.id)
    )
    return [(run.mode, run.state), *(tuple(row) for row in rows)]


def failed(result: ExecuteInProcessResult) -> str:
    """The sentence by which a run failed."""
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return str(failure.step_failure_data.error.message)  # type: ignore[union-attr]


def test_merge_and_unmerge_leave_the_same_journal_as_the_command(site: Site) -> None:
    """What the job writes is what the service of the command writes; without apply it writes nothing."""
    one, other = pair(site)
    words = {"survivor": str(one), "losers": [str(other)], "force": True}
    before = len(site.rows(select(core.exchange_run)))
    result, told = act(site, "merge", "merge_clients", **words)
    assert result.success
    assert (told["запуск"], states(site)[other]) == ("—", "active")
    assert len(site.rows(select(core.exchange_run))) == before
    result, told = act(site, "merge", "merge_clients", **words, apply=True)
    assert (told["другие записи"], states(site)[other]) == (f"№ {other}", "merged")
    run = site.rows(select(core.exchange_run).order_by(core.exchange_run.c.id.desc()))[0]
    assert (run.mode, run.initiator, run.dagster_run_id) == ("merge", "dagster", result.run_id)
    by_job = [journal(site)]
    act(site, "unmerge", "unmerge_clients", run=run.id, judge=False, apply=True)
    by_job.append(journal(site))
    assert states(site)[other] == "active"
    asked = merge.ask(site.hub, "party", str(one), [str(other)], by="Анна", confirm=True)
    done = merge.merge(site.hub, asked)
    by_service = [journal(site)]
    unmerge.unmerge(site.hub, unmerge.of_run(site.hub, done.run_id, by="Анна", judge=False))
    by_service.append(journal(site))
    assert by_job == by_service
    everything = str([event.message for event in result.all_events]) + str(told)
    assert "Клиент" not in everything


def test_not_duplicates_is_for_good(site: Site) -> None:
    """The word of the job is heeded by the next merge, which fails with its sentence; revoked, it is not."""
    one, other = pair(site)
    pair_ = {"one": str(one), "other": str(other)}
    _, told = act(site, "not_duplicates", "say_different", **pair_, note="разные города")
    assert told["сказано"] == "разные"
    (said,) = judgements(site.hub, "party")
    assert (said.judgement.by, said.judgement.note) == ("dagster", "разные города")
    result, _ = act(site, "merge", "merge_clients", survivor=str(one), losers=[str(other)], apply=True)
    assert "разные города" in failed(result)
    act(site, "not_duplicates", "say_different", **pair_, revoke=True)
    assert judgements(site.hub, "party") == []


def test_split_and_unmerge_by_record(site: Site) -> None:
    """A record that was merged away is split out by its key; another comes back by its number."""
    one, other = pair(site)
    link = core.link
    keys = {row.record_id: row.external_id for row in site.rows(select(link.c.record_id, link.c.external_id))}
    act(site, "merge", "merge_clients", survivor=str(one), losers=[str(other)], force=True, apply=True)
    _, told = act(site, "split", "split_client", id=str(one), keys=[keys[other]])
    assert told["запуск"] == "—"
    result, _ = act(site, "split", "split_client", id=str(one), keys=["нет такого"], apply=True)
    assert keys[other] in failed(result)
    _, told = act(site, "unmerge", "unmerge_clients", record=str(other), apply=True)
    assert (told["другие записи"], states(site)[other]) == (f"№ {other}", "active")
    act(site, "merge", "merge_clients", survivor=str(one), losers=[str(other)], force=True, apply=True)
    act(site, "split", "split_client", id=str(one), keys=[f"ut:{keys[other]}"], apply=True)
    links = {row.external_id: row.record_id for row in site.rows(select(link.c.record_id, link.c.external_id))}
    assert links[keys[one]] == one
    assert links[keys[other]] not in (one, other)


def test_weights_are_compared_with_and_fitted_by_jobs(site: Site) -> None:
    """A table by its name, refused where there is none; a fit to no judgements says how many it takes."""
    run_exchange(site.hub, ["ut.party"])
    result, told = act(site, "compare_clients", "compare_all_clients", weights="ru-1")
    assert result.success
    assert told["карточек"] > 0
    result, _ = act(site, "compare_clients", "compare_all_clients", weights="ru-9")
    assert "ru-1" in failed(result)
    result, _ = act(site, "refit_weights", "fit_weights", apply=True)
    assert "Решений мало" in failed(result)

"""What a person does by hand, as jobs: the same services as the command's, with personal data masked."""

from __future__ import annotations

from typing import Any

from dagster import ExecuteInProcessResult
from sqlalchemy import select

from hub.exchange.pins import pin, pins
from hub.exchange.service import run_exchange
from hub.store import core, tables
from tests.dagster.base import PARTIES, party
from tests.dagster.conftest import Site


def act(site: Site, job: str, op: str, **config: Any) -> tuple[ExecuteInProcessResult, dict[str, Any]]:
    """Carry a job out with that run config; the metadata of its step by label."""
    result = site.run(job, day=None, run_config={"ops": {op: {"config": config}}})
    told: dict[str, Any] = {}
    for event in result.events_for_node(op):
        if event.is_successful_output:
            told = {label: value.value for label, value in event.step_output_data.metadata.items()}
    return result, told


def comments(site: Site) -> dict[int, str | None]:
    root = tables.ROOTS["party"]
    return {row.id: row.comment for row in site.rows(select(root.c.id, root.c.comment))}


def test_why_masks_what_is_personal(site: Site) -> None:
    """The table names cells, rules and systems; names and ИНН are masked, other values are not."""
    run_exchange(site.hub, ["ut.party"])
    pin(site.hub, "party", "1", "comment", "видно", by="Анна")
    result, told = act(site, "why_value", "tell_why", entity="party", id="1")
    assert result.success
    assert told["запись"] == "party № 1"
    assert "| comment | видно | pin |" in told["поля"]
    assert "| legal_name" not in told["поля"] or "Клиент" not in told["поля"]
    assert "| display_name | ••• |" in told["поля"]
    assert "party_identifier[inn,•••]" in told["поля"]
    everything = str([event.message for event in result.all_events]) + str(told)
    assert "7707083893" not in everything
    assert "Клиент 1" not in everything


def test_pin_unpin_and_undo_leave_the_same_journal_as_the_command(site: Site) -> None:
    """Each job is a run of its own that knows its Dagster run; the plan of an undo writes none."""
    run_exchange(site.hub, ["ut.party"])
    result, told = act(site, "pin_value", "set_pin", entity="party", id="1", field="comment", value="новое", note="так")
    assert result.success
    assert (told["стало"], comments(site)[1]) == ("новое", "новое")
    run = site.rows(select(core.exchange_run).order_by(core.exchange_run.c.id.desc()))[0]
    assert (run.mode, run.initiator, run.state, run.dagster_run_id) == ("decide", "dagster", "completed", result.run_id)
    _, told = act(site, "undo_run", "undo", run=run.id)
    assert (told["возвращается"], told["запуск"], comments(site)[1]) == (1, "—", "новое")
    _, told = act(site, "undo_run", "undo", run=run.id, apply=True)
    assert (told["возвращается"], comments(site)[1], pins(site.hub)) == (1, None, [])
    act(site, "pin_value", "set_pin", entity="party", id="1", field="comment", value="ещё раз")
    result, told = act(site, "unpin_value", "take_pin", entity="party", id="1", field="comment")
    assert result.success
    assert (comments(site)[1], pins(site.hub)) == (None, [])


def test_a_wrong_value_fails_the_run_with_its_sentence(site: Site) -> None:
    """An admin sees what is wrong and no traceback; nothing is written."""
    site.base.put(PARTIES, party(1))
    run_exchange(site.hub, ["ut.party"])
    result, _ = act(site, "pin_value", "set_pin", entity="party", id="1", field="kind", value="банк")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "organization" in str(failure.step_failure_data.error.message)  # type: ignore[union-attr]
    assert pins(site.hub) == []

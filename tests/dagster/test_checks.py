"""Asset checks in Dagster: all pass on good data, and each finding arrives with its words, severity and numbers."""

from __future__ import annotations

from dagster import AssetCheckKey, AssetCheckSeverity, AssetKey, ExecuteInProcessResult
from sqlalchemy import update

from hub.assets.checks import check_result
from hub.reconcile.finding import Finding
from hub.store.tables import ROOTS
from tests.dagster import base as small
from tests.dagster.conftest import Site

ORDERS = AssetKey(["ut", "sales_order"])


def evaluations(result: ExecuteInProcessResult, key: AssetKey = ORDERS) -> dict[str, tuple[bool, AssetCheckSeverity]]:
    """Outcome and severity by check, of one asset."""
    return {
        found.check_name: (found.passed, found.severity)
        for found in result.get_asset_check_evaluations()
        if found.asset_key == key
    }


def test_each_entity_has_its_checks(site: Site) -> None:
    """Documents are compared by day and line, clients by control digits, everything by its journal."""
    names: dict[str, set[str]] = {}
    for key in site.defs.resolve_asset_graph().asset_check_keys:
        names.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    every = {"counters_balance", "freshness", "volume_as_usual", "references_late", "quarantine_empty", "mappings_fit"}
    assert names["ut/currency"] == every
    assert names["ut/party"] == every | {"identifier_digits"}
    assert names["ut/sales_order"] == names["ut/payment"] == every | {"daily_totals", "line_sums"}
    assert names.pop("ut/source") == {"system_state"}
    assert names.pop("dedup/review_queue") == {"duplicates_open", "duplicates_compared", "duplicates_sound"}
    assert len(names) == len(site.hub.routes)


def test_good_data_passes_every_check(site: Site) -> None:
    """After an ordinary night nothing is amber or red."""
    result = site.run()
    assert result.success
    found = result.get_asset_check_evaluations()
    assert len(found) > 5 * len(site.hub.routes)
    assert [(item.asset_key, item.check_name, item.description) for item in found if not item.passed] == []


def test_a_tampered_store_is_found_by_the_second_read(site: Site) -> None:
    """An amount changed past the exchange: the totals by day are off and the lines too; the run still succeeds."""
    site.run()
    orders = ROOTS["sales_order"]
    with site.hub.store.begin() as conn:
        number = conn.execute(orders.select().order_by(orders.c.id)).first()
        assert number is not None
        conn.execute(update(orders).where(orders.c.id == number.id).values(total=number.total + 1))
    found = evaluations(site.run())
    assert found["daily_totals"] == (False, AssetCheckSeverity.ERROR)
    assert found["line_sums"] == (False, AssetCheckSeverity.WARN)
    assert found["counters_balance"] == (True, AssetCheckSeverity.ERROR)


def test_quarantine_is_amber(site: Site) -> None:
    """A record in quarantine asks to be looked at and fails nothing."""
    site.base.put(small.PARTIES, small.party(9) | {"Description": "", "НаименованиеПолное": ""})
    result = site.run()
    assert result.success
    assert evaluations(result, AssetKey(["ut", "party"]))["quarantine_empty"] == (False, AssetCheckSeverity.WARN)


def test_one_check_can_be_carried_out_alone(site: Site) -> None:
    """A person may ask for a single check; only that one is looked at."""
    site.run()
    job = site.defs.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={AssetCheckKey(ORDERS, "daily_totals")}
    )
    result = job.execute_in_process(instance=site.instance)
    assert list(evaluations(result)) == ["daily_totals"]


def test_a_finding_keeps_its_words_numbers_and_table() -> None:
    """Labels are the reader's, numbers stay numbers so that they plot."""
    finding = Finding(
        passed=False,
        code="rc_quarantine_bad",
        params={"number": 2, "since": "01.03.2026 02:15", "reasons": "bad_date", "route": "ut.party"},
        severity="warn",
        numbers={"rc_in_quarantine": 2},
        table=({"rc_reason": "bad_date", "rc_number": 2},),
    )
    result = check_result(finding, "quarantine_empty", "ru")
    assert (result.passed, result.severity) == (False, AssetCheckSeverity.WARN)
    assert result.description == finding.text("ru")
    assert all(part in finding.text("ru") for part in ("2", "01.03.2026 02:15", "bad_date"))
    assert result.metadata["в карантине"].value == 2
    assert result.metadata["подробно"].value.records[0].data == {"причина": "bad_date", "сколько": 2}  # type: ignore[union-attr]

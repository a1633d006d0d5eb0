"""The shipped profiles as a whole: what they cover, their order, fingerprints, documentation."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from hub.exchange.naming import stream_name
from hub.model.entities import ENTITIES
from hub.model.fields import Kind
from mappings.compiled import CompiledProfile, compile_profile
from mappings.describe import DOCS, PARTS, language_page, profile_page
from mappings.makers import MAKERS
from mappings.parse import KEYS, ROW_KEYS
from mappings.parse_expr import FORMS
from mappings.profile import profiles
from mappings.transforms import TRANSFORMS
from tests.mappings.build import ONEC


@pytest.fixture(scope="module", params=profiles())
def profile(request: pytest.FixtureRequest) -> CompiledProfile:
    """Each shipped profile."""
    return compile_profile(request.param, "Europe/Moscow")


@pytest.fixture(scope="module", params=ONEC)
def onec(request: pytest.FixtureRequest) -> CompiledProfile:
    """Each profile of 1C."""
    return compile_profile(request.param, "Europe/Moscow")


@pytest.fixture(scope="module")
def trade() -> CompiledProfile:
    """The profile of УТ."""
    return compile_profile("onec_ut11", "Europe/Moscow")


#: What a configuration has no objects for: БП knows neither orders nor variants.
#: Letters, calls, messages, meetings and subscriptions come from elsewhere, and leads are made of them.
ELSEWHERE = {"activity", "lead", "subscription"}
ABSENT = {"onec_ut11": ELSEWHERE, "onec_unf": ELSEWHERE, "onec_bp3": {"sales_order", "product_variant", *ELSEWHERE}}
PARTIES = {"onec_ut11": 5, "onec_unf": 5, "onec_bp3": 4}


def test_every_entity_has_a_mapping(onec: CompiledProfile) -> None:
    """All of the canonical model that the configuration has is filled; payments from two documents."""
    streams: dict[str, set[str]] = {}
    for mapping in onec.mappings.values():
        streams.setdefault(mapping.entity.name, set()).add(mapping.stream)
    assert set(streams) == set(ENTITIES) - ABSENT[onec.name]
    assert len(streams["party"]) == PARTIES[onec.name]
    assert len(streams["payment"]) == 2


def test_references_come_first(profile: CompiledProfile) -> None:
    """A required reference never points at a mapping that comes later."""
    position = {mapping.stream: n for n, mapping in enumerate(profile.mappings.values())}
    for n, mapping in enumerate(profile.mappings.values()):
        required = set(mapping._required_streams) - {mapping.stream}
        assert all(position[stream] < n for stream in required), mapping.name


def test_columns_are_those_of_the_registry(profile: CompiledProfile) -> None:
    """Root and child columns are in registry order, without what the store adds itself."""
    for mapping in profile.mappings.values():
        order = [field.column for field in mapping.entity.fields]
        assert [column for column in order if column in mapping.root_columns] == list(mapping.root_columns)
        for part in mapping.children:
            order = [field.column for field in part.child.fields]
            assert [column for column in order if column in part.columns] == list(part.columns)
            assert part.child.number_column not in part.columns


def test_documents_name_their_date_and_total(profile: CompiledProfile) -> None:
    """What windows and sums by day go by is told by every mapping of a dated entity, and asked for."""
    for mapping in profile.mappings.values():
        if mapping.entity.dated_by:
            assert mapping.date_field in mapping.select
            assert mapping.total_field in mapping.select or not mapping.entity.total
        assert set(mapping.key) <= set(mapping.select)


def test_virtual_tables(onec: CompiledProfile) -> None:
    """Balances become zero when they are gone; prices in force do not."""
    tables = {name: (m.table, m.absent) for name, m in onec.mappings.items() if m.table != "set"}
    assert tables == {
        "price": ("slice_last", None),
        "stock_balance": ("balance", "zero"),
        "settlement_balance": ("balance", "zero"),
    }


def test_an_order_needs_its_client_and_products_and_nothing_else(trade: CompiledProfile) -> None:
    """Whatever else an order refers to may come later."""
    order = trade.mappings["sales_order"]
    assert set(order._required_streams) == {"Catalog_Контрагенты", "Catalog_Партнеры", "Catalog_Номенклатура"}
    assert not trade.mappings["product"]._required_streams
    assert not trade.mappings["counterparty"]._required_streams


def test_the_streams_own_field_of_change_is_asked_for(onec: CompiledProfile) -> None:
    """Where a mapping names one it is told as ``changed_field`` and read; everywhere else there is none."""
    told = {name: mapping.changed_field for name, mapping in onec.mappings.items() if mapping.changed_field}
    assert told == ({"product": "ДатаИзменения", "sales_order": "ДатаИзменения"} if onec.name == "onec_unf" else {})
    assert all(field in onec.mappings[name].select for name, field in told.items())


def test_two_mappings_of_one_table_are_streams_of_their_own(profile: CompiledProfile) -> None:
    """The store tells them apart by their part: else one would take the other's rows for its own."""
    names = [stream_name(mapping) for mapping in profile.mappings.values()]
    assert len(set(names)) == len(names)
    if profile.name == "onec_bp3":
        books = "AccountingRegister_Хозрасчетный#balance"
        assert {f"{books}#stock", f"{books}#settlements"} <= set(names)


def test_fingerprints_differ_by_mapping_and_by_zone(profile: CompiledProfile) -> None:
    """No two mappings share one; another time zone is another result."""
    prints = [mapping.fingerprint for mapping in profile.mappings.values()]
    assert len(set(prints)) == len(prints)
    assert all(0 <= value < 2**64 for value in prints)
    other = compile_profile(profile.name, "Asia/Yekaterinburg")
    assert not {mapping.fingerprint for mapping in other.mappings.values()} & set(prints)


def test_fingerprints_are_the_same_in_another_process(profile: CompiledProfile) -> None:
    """Hash seeds, order of sets and addresses do not get into them: else every night would re-read everything."""
    code = (
        "from mappings.compiled import compile_profile\n"
        f"profile = compile_profile('{profile.name}', 'Europe/Moscow')\n"
        "for name, m in profile.mappings.items(): print(name, m.fingerprint)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            cwd=DOCS.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert dict(line.split() for line in done.stdout.splitlines()) == {
            name: str(mapping.fingerprint) for name, mapping in profile.mappings.items()
        }


@pytest.mark.parametrize("name", profiles())
def test_the_page_of_a_profile_is_what_the_generator_makes(name: str) -> None:
    """After changing a mapping: ``python -m mappings.describe``."""
    assert (DOCS / "profiles" / f"{name}.md").read_text(encoding="utf-8") == profile_page(name)


def test_the_language_page_is_up_to_date_and_complete() -> None:
    """Generated parts are current; every key, form, transform and maker is documented."""
    text = (DOCS / "mappings.md").read_text(encoding="utf-8")
    assert language_page(text) == text
    assert set(re.findall(r"<!-- generated: (\w+) -->", text)) == set(PARTS)
    for word in (
        *KEYS,
        *ROW_KEYS,
        *FORMS,
        *TRANSFORMS,
        *MAKERS,
        *(kind.value for kind in Kind if kind is not Kind.JSON),
    ):
        assert re.search(rf"\b{word}\b", text), word
    documented = set(re.findall(r"^\| `(\w+)` \| `\{", text, re.MULTILINE))
    assert documented == set(FORMS)

"""Migrations lead to the schema that the code believes in."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select

import hub.store
from hub.model.errors import NeedsPerson
from hub.store import core, schema
from hub.store.database import Store, open_store
from hub.store.schema import HEAD, VERSION_TABLE, version
from hub.store.tables import CHILDREN, metadata
from hub.store.views import definition, views
from tests.store.rows import add_link, add_order, add_system

SCRIPTS = sorted(path.name for path in (Path(schema.__file__).parent / "migrations" / "versions").glob("*.py"))
#: Every version before the newest.
EARLIER = [name[1:5] for name in SCRIPTS[:-1]]


@pytest.fixture
def empty(store: Store) -> Store:
    """The test's own database with nothing in it: no table, no view, no sequence."""
    with store.begin() as conn:
        if store.dialect == "postgresql":
            conn.exec_driver_sql("DROP SCHEMA public CASCADE")
            conn.exec_driver_sql("CREATE SCHEMA public")
        else:
            for kind, name in conn.exec_driver_sql("SELECT type, name FROM sqlite_master WHERE type = 'view'").all():
                conn.exec_driver_sql(f"DROP {kind} {name}")
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for table in reversed([*metadata.sorted_tables]):
                conn.exec_driver_sql(f"DROP TABLE {table.name}")
            conn.exec_driver_sql(f"DROP TABLE {VERSION_TABLE}")
    return store


#: Everything that the catalogue of PostgreSQL knows of a schema, as texts that can be compared.
_CATALOGUE = """
    SELECT table_name || '.' || column_name,
           concat_ws(' ', data_type, numeric_precision, numeric_scale, is_nullable, column_default, identity_generation)
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT sequencename, data_type::text || increment_by FROM pg_sequences WHERE schemaname = 'public'
"""


def described(conn: Connection) -> dict[str, str]:
    """The schema by the database's own word; tables, columns, keys, constraints, indexes and sequences."""
    if conn.dialect.name == "postgresql":
        rows = conn.exec_driver_sql(_CATALOGUE).all()
    else:
        rows = conn.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'view'"
        ).all()
    return {name: _sorted(text) for name, text in rows if VERSION_TABLE not in name and not name.startswith("v_")}


def _sorted(text: str) -> str:
    """A definition whose parts stand in a fixed order: SQLite keeps the text as it was written."""
    return ", ".join(sorted(re.split(r", *(?![^()]*\))", " ".join(text.split()).replace(" )", ", end"))))


def test_migration_makes_what_the_metadata_says(empty: Store) -> None:
    """The frozen migration and the registry of today lead to one schema, to the last default and index."""
    with empty.begin() as conn, conn.begin_nested() as nested:
        metadata.create_all(conn)
        wanted = described(conn)
        nested.rollback()
    with empty.read() as conn:
        assert not described(conn)
    empty.migrate()
    with empty.read() as conn:
        found = described(conn)
    assert found == wanted
    assert len(found) > len(metadata.tables)


def test_head_is_the_newest_script() -> None:
    """The constant that saves importing Alembic is the revision that Alembic would go to, in one line of scripts."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrating_again_changes_nothing(store: Store) -> None:
    """A second migrate keeps what is there."""
    with store.begin() as conn:
        conn.execute(insert(core.link).values(id=1, stream_id=1, external_id="a", first_run=1))
    store.migrate()
    with store.read() as conn:
        assert version(conn) == HEAD
        assert conn.execute(select(core.link.c.external_id)).scalar_one() == "a"


@pytest.mark.parametrize("revision", EARLIER)
def test_a_store_of_an_earlier_version_keeps_its_data(
    empty: Store, revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From every earlier version, filled and with its views: the schema of today, and every row and value is there."""
    with empty.begin() as conn, conn.begin_nested() as nested:
        metadata.create_all(conn)
        wanted = described(conn)
        nested.rollback()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "HEAD", revision)
        patch.setattr(schema, "create_views", _views_of_tables_there)
        empty.migrate()
    with empty.begin() as conn:
        assert version(conn) == revision
        add_system(conn, (1, "Catalog_Контрагенты"))
        add_link(conn, 5, "client", 50)
        add_order(conn)
    empty.migrate()
    with empty.read() as conn:
        assert (version(conn), described(conn)) == (HEAD, wanted)
        assert conn.exec_driver_sql("SELECT code FROM system").scalar_one() == "ut"
        assert conn.exec_driver_sql("SELECT number, party_id, record_state FROM v_sales_order").one() == (
            "УТ-1",
            50,
            "active",
        )
        assert conn.exec_driver_sql("SELECT count(*) FROM v_sales_order_line").scalar_one() == 1
        assert conn.exec_driver_sql("SELECT count(*) FROM v_task").scalar_one() == 0


def _views_of_tables_there(conn: Connection) -> None:
    """The views that a program of that time had made."""
    there = {
        name: {column["name"] for column in found} for (_, name), found in inspect(conn).get_multi_columns().items()
    }
    for name, table in views():
        if there.get(table.name, set()) >= {column.name for column in table.columns}:
            conn.exec_driver_sql(f"CREATE VIEW {name} AS {definition(conn, table)}")


def test_migrating_from_anywhere(empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked for in the current directory, an alembic.ini there least of all."""
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = nowhere\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    empty.migrate()
    with empty.read() as conn:
        assert version(conn) == HEAD


def test_two_migrate_at_once(empty: Store, store_url: str) -> None:
    """Code server and command start together on an empty store: one migrates, the other waits and finds it done."""
    failures: list[BaseException] = []
    together = threading.Barrier(2)

    def start() -> None:
        own = open_store(store_url)
        try:
            together.wait(30)
            own.migrate()
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    with empty.read() as conn:
        assert version(conn) == HEAD


def test_a_failed_migration_leaves_nothing(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Breaking off in the last step leaves the database as it was; the next start begins anew."""

    def broken(_: Connection) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(schema, "create_views", broken)
        with pytest.raises(ZeroDivisionError):
            empty.migrate()
    with empty.read() as conn:
        assert version(conn) is None
        assert not described(conn)
    empty.migrate()


def test_a_newer_store_is_left_alone(store: Store) -> None:
    """A program older than the store says so, and touches nothing."""
    with store.begin() as conn:
        conn.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(NeedsPerson) as caught:
        store.migrate()
    assert (caught.value.code, caught.value.params["found"]) == ("store_newer", "9999")
    with store.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM v_party").scalar_one() == 0


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_children_have_no_row_id(store: Store) -> None:
    """Child tables are one tree on SQLite, keyed by parent and number."""
    with store.read() as conn:
        texts = described(conn)
    assert all("WITHOUT ROWID" in texts[name] for name in CHILDREN)
    assert "WITHOUT ROWID" not in texts["sales_order"]


def test_views_are_those_of_the_registry(store: Store) -> None:
    """Every view of the registry is there and gives the columns that its definition names."""
    with store.read() as conn:
        for name, table in views():
            given = conn.exec_driver_sql(f"SELECT * FROM {name}").keys()
            assert list(given) == list(conn.exec_driver_sql(definition(conn, table)).keys()), name


def test_the_package_carries_its_scripts() -> None:
    """Migration scripts are plain modules inside the package, so an installed copy has them."""
    folder = Path(hub.store.__file__).parent / "migrations"
    names = sorted(path.name for path in (folder / "versions").glob("*.py"))
    assert names == [
        "v0001_first.py",
        "v0002_changes.py",
        "v0003_task.py",
        "v0004_two_ways.py",
        "v0005_communications.py",
        "v0006_duplicates.py",
        "v0007_messages.py",
        "v0008_merges_and_weights.py",
        "v0009_subscriptions.py",
        "v0010_keys.py",
        "v0011_marks.py",
        "v0012_notices.py",
    ]

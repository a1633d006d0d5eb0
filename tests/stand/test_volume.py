"""Packed sets: hundreds of thousands of documents from a file, the same through every door, at small cost."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stand.onec.errors import OUT_OF_MEMORY
from stand.onec.generate.build import build
from stand.onec.packed import WIDTH, PackedFile
from stand.onec.server import OneCStand
from stand.onec.volume import open_volume
from stand.onec.world import World, next_version
from tests.stand.client import Client

ORDERS = "Document_ЗаказКлиента"
SWEEP = f"{ORDERS}?$select=Ref_Key,DataVersion,DeletionMark"
COUNT = 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's files are kept."""
    return tmp_path_factory.mktemp("packed")


def _base() -> World:
    """Sixty orders, one of them marked for deletion."""
    world = build(2, clients=20, products=30, orders=60)
    world.edit(ORDERS, world.records(ORDERS)[30]["Ref_Key"], {"DeletionMark": True})
    return world


@pytest.fixture
def packed(folder: Path) -> Iterator[OneCStand]:
    """Sixty orders that stand for a thousand."""
    world = _base()
    with OneCStand(world, control=True, volumes=[open_volume(world, ORDERS, COUNT, folder)]) as stand:
        yield stand


@pytest.fixture
def own(packed: OneCStand) -> Iterator[Client]:
    """Its client."""
    with Client(packed) as client:
        yield client


def _pages(own: Client, path: str, size: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := own.rows(f"{path}&$top={size}&$skip={len(found)}"):
        found += page
    return found


def test_keys_are_whole_and_stable(packed: OneCStand, own: Client) -> None:
    """The sweep in pages of any size is one list of as many distinct keys as asked for, the base's own among them."""
    keys = _pages(own, SWEEP, 333)
    assert keys == _pages(own, SWEEP, 250) == own.rows(SWEEP)
    assert len({row["Ref_Key"] for row in keys}) == len(keys) == COUNT
    assert {record["Ref_Key"] for record in packed.world.records(ORDERS)} <= {row["Ref_Key"] for row in keys}
    assert set(keys[0]) == {"Ref_Key", "DataVersion", "DeletionMark"}
    assert {row["DeletionMark"] for row in keys} == {True, False}


def test_whole_orders_agree_with_the_sweep(packed: OneCStand, own: Client) -> None:
    """A full order has the key, version and mark of the sweep; its lines name it; numbers differ, dates never fall."""
    keys, whole = own.rows(SWEEP), own.rows(ORDERS)
    assert [{name: row[name] for name in keys[0]} for row in whole] == keys
    assert all(line["Ref_Key"] == row["Ref_Key"] for row in whole for line in row["Товары"])
    dates = [row["Date"] for row in whole]
    assert dates == sorted(dates)
    assert len({row["Number"] for row in whole}) > 0.9 * COUNT
    assert {len(row["Number"]) for row in whole} == {11}


def test_the_bases_own_orders_are_unchanged(packed: OneCStand, own: Client) -> None:
    """What a template is in a live base it is here too, byte for byte."""
    with OneCStand(_base()) as live, Client(live) as other:
        answer = other.get(f"{ORDERS}?$format=application/json;odata=nometadata")
        expected = {row["Ref_Key"]: row for row in answer.value}
    found = {row["Ref_Key"]: row for row in own.rows(ORDERS)}
    assert {key: found[key] for key in expected} == expected


def test_a_selection_is_served(own: Client) -> None:
    """Any $select, with parts of lines too; an unknown field is code 6."""
    rows = own.rows(f"{ORDERS}?$select=Ref_Key,Number,Товары/Сумма&$top=100&$skip=50")
    whole = own.rows(f"{ORDERS}?$top=100&$skip=50")
    assert [(r["Ref_Key"], r["Number"]) for r in rows] == [(r["Ref_Key"], r["Number"]) for r in whole]
    assert [[x["Сумма"] for x in r["Товары"]] for r in rows] == [[x["Сумма"] for x in r["Товары"]] for r in whole]
    assert own.fail(f"{ORDERS}?$select=Нет")[:2] == (400, "6")


def test_windows_and_lists_of_keys(own: Client) -> None:
    """Windows of dates put together are everything; a list of keys finds each; one record by its address."""
    everything = own.rows(f"{ORDERS}?$select=Ref_Key,Date")
    middle = everything[COUNT // 3]["Date"]
    before = own.rows(f"{ORDERS}?$select=Ref_Key,Date&$filter=Date lt datetime'{middle}'")
    rest = f"(Date ge datetime'{middle}') and (Date le datetime'9999-01-01T00:00:00')"
    since = own.rows(f"{ORDERS}?$select=Ref_Key,Date&$filter={rest}")
    assert before + since == everything
    assert max(row["Date"] for row in before) < middle == since[0]["Date"]
    assert own.rows(f"{ORDERS}?$filter=Date gt datetime'{middle}' and Date lt datetime'{middle}'") == []
    wanted = [everything[5]["Ref_Key"], everything[700]["Ref_Key"], "0" * 8 + "-0000-0000-0000-" + "0" * 12]
    listed = " or ".join(f"Ref_Key eq guid'{key}'" for key in wanted)
    assert [row["Ref_Key"] for row in own.rows(f"{ORDERS}?$filter={listed}&$select=Ref_Key")] == wanted[:2]
    assert own.get(f"{ORDERS}(guid'{wanted[1]}')?$format=json").json["Date"] == everything[700]["Date"]
    assert own.fail(f"{ORDERS}(guid'{wanted[2]}')")[:2] == (404, "9")


def test_counts_and_direction(own: Client) -> None:
    """$count with and without a window, $inlinecount as a string, the newest first."""
    everything = own.rows(f"{ORDERS}?$select=Ref_Key,Date")
    assert own.get(f"{ORDERS}/$count").body == str(COUNT).encode()
    middle = everything[600]["Date"]
    later = sum(row["Date"] > middle for row in everything)
    assert int(own.get(f"{ORDERS}/$count?$filter=Date gt datetime'{middle}'").body) == later
    page = own.get(f"{ORDERS}?$select=Ref_Key,Date&$orderby=Date desc&$top=2&$inlinecount=allpages&$format=json").json
    assert page["odata.count"] == str(COUNT)
    assert page["value"] == everything[::-1][:2]
    assert own.rows(f"{SWEEP}&$orderby=Date desc")[0]["Ref_Key"] == everything[-1]["Ref_Key"]


def test_what_a_packed_set_refuses(own: Client) -> None:
    """Other filters, its tabular part and Atom are 501; writes 405."""
    key = own.rows(f"{SWEEP}&$top=1")[0]["Ref_Key"]
    assert own.fail(f"{ORDERS}?$filter=Posted eq true")[:2] == (501, "21")
    assert own.fail(f"{ORDERS}_Товары?$top=1")[:2] == (501, "21")
    assert own.get(ORDERS).status == 501
    assert own.write("PATCH", f"{ORDERS}(guid'{key}')", {}).error[:2] == (405, "19")


def test_edits_show_everywhere(packed: OneCStand, own: Client) -> None:
    """An edited order has a new version and fields in the sweep, whole, selected and by key; others do not change."""
    before = own.rows(SWEEP)
    key, version = before[417]["Ref_Key"], before[417]["DataVersion"]
    body = json.dumps({"set": ORDERS, "key": key, "fields": {"Комментарий": "а", "DeletionMark": True}}).encode()
    reply = own.send("POST", "/_stand/edit", body).json
    assert reply == {"DataVersion": next_version(version)}
    after = own.rows(SWEEP)
    assert [n for n in range(COUNT) if before[n] != after[n]] == [417]
    assert after[417] == {"Ref_Key": key, "DataVersion": reply["DataVersion"], "DeletionMark": True}
    whole = own.rows(f"{ORDERS}?$top=1&$skip=417")[0]
    assert (whole["Комментарий"], whole["DeletionMark"]) == ("а", True)
    assert own.rows(f"{ORDERS}?$select=Комментарий&$top=2&$skip=416")[1] == {"Комментарий": "а"}
    assert own.get(f"{ORDERS}(guid'{key}')?$format=json").json["DataVersion"] == reply["DataVersion"]
    touched = own.send("POST", "/_stand/touch", json.dumps({"set": ORDERS, "key": key}).encode()).json
    assert touched["DataVersion"] == next_version(reply["DataVersion"])
    assert own.send("POST", "/_stand/delete", body).status == 400
    assert own.send("POST", "/_stand/edit", body.replace(key.encode(), b"0")).status == 400


def test_faults_strike_packed_sets_too(packed: OneCStand, own: Client) -> None:
    """Memory errors in rows, and what the server does to any answer."""
    packed.quirks.memory_error_over_rows = 100
    assert own.fail(f"{SWEEP}&$top=101") == (500, "-1", OUT_OF_MEMORY)
    assert len(own.rows(f"{SWEEP}&$top=100")) == 100
    packed.quirks.update({"fail_status": 502, "times": 1, "only": [ORDERS]})
    assert own.get(f"{SWEEP}&$top=1&$format=json").status == 502


def test_the_file_is_made_once(folder: Path) -> None:
    """The same base finds its file, another size or seed makes another; what is no such file is refused."""
    world = _base()
    open_volume(world, ORDERS, COUNT, folder).close()
    made = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    open_volume(_base(), ORDERS, COUNT, folder).close()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == made
    open_volume(world, ORDERS, 70, folder).close()
    open_volume(build(3, clients=20, products=30, orders=60), ORDERS, COUNT, folder).close()
    assert len(list(folder.iterdir())) == len(made) + 2
    with pytest.raises(ValueError, match="cannot be made"):
        open_volume(world, ORDERS, 59, folder)
    (folder / "other").write_bytes(b"something else entirely")
    with pytest.raises(ValueError, match="no packed set"):
        PackedFile(folder / "other")


def test_command_line_packs(tmp_path: Path) -> None:
    """`--packed FOLDER` serves as many orders as asked from a file there."""
    words = [sys.executable, "-m", "stand.onec", "--clients", "9", "--products", "20", "--orders", "6000", "--control"]
    words += ["--packed", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            assert process.stdout is not None
            port = int(json.loads(process.stdout.readline())["url"].split(":")[2].split("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/_stand/state")
            assert json.loads(connection.getresponse().read())["records"][ORDERS] == 6000
            connection.close()
            (path,) = tmp_path.iterdir()
            assert path.stat().st_size > 6000 * WIDTH
        finally:
            process.kill()

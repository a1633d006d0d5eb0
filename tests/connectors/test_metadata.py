from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import IO, Any

import pytest

from connectors.base import StreamInfo
from connectors.onec_odata import metadata
from connectors.onec_odata.xml import NotXml
from tests.connectors import schema_of_size
from tests.connectors.recordings import CASES, METADATA, needed

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" '
    'Version="1.0"><edmx:DataServices><Schema xmlns="http://schemas.microsoft.com/ado/2009/11/edm" '
    'Namespace="StandardODATA">'
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"


def document(body: str) -> io.BytesIO:
    """A schema with this content."""
    return io.BytesIO((HEAD + body + TAIL).encode())


def catalog(number: int, fields: int = 3) -> str:
    """A catalog's type, and one of a virtual table that nothing reads."""
    name = f"Catalog_Справочник{number}"
    properties = "".join(f'<Property Name="Реквизит{n}" Type="Edm.String" Nullable="true"/>' for n in range(fields))
    return (
        f'<EntityType Name="{name}"><Key><PropertyRef Name="Ref_Key"/></Key><Property Name="Ref_Key" Type="Edm.Guid"/>'
        f'{properties}</EntityType><ComplexType Name="{name}_Turnover">{properties}</ComplexType>'
    )


def case(name: str) -> dict[str, StreamInfo]:
    """Streams of one of the small documents."""
    with (CASES / name).open("rb") as file:
        return metadata.parse(file)


@needed
def test_the_recorded_metadata_of_a_real_base() -> None:
    """38 sets and 15 virtual tables, with types, keys, tabular parts, record sets and reference targets."""
    with METADATA.open("rb") as file:
        streams = metadata.parse(file)
    assert len([name for name in streams if "#" not in name]) == 38
    assert len([name for name in streams if "#" in name]) == 15
    order = streams["Document_ЗаказКлиента"]
    assert order.key == ("Ref_Key",)
    assert order.fields["СуммаДокумента"] == "Edm.Double"
    assert order.tables["Товары"]["LineNumber"] == "Edm.Int64"
    assert "Товары" not in order.fields
    assert order.refs["Контрагент_Key"] == "Catalog_Контрагенты"
    register = streams["AccumulationRegister_ЗаказыКлиентов"]
    assert register.key == ("Recorder", "Recorder_Type")
    assert register.tables["RecordSet"]["Period"] == "Edm.DateTime"
    assert streams["AccumulationRegister_ЗаказыКлиентов#balance"].fields["ЗаказаноBalance"] == "Edm.Double"
    slices = streams["InformationRegister_СуммыДокументовВВалютахУчета_RecordType#slice_last"]
    assert slices.fields["СуммаНДС"] == "Edm.Double"


@needed
@pytest.mark.parametrize(
    ("name", "stream", "what"),
    [
        ("01-catalog-with-table.xml", "Catalog_Номенклатура", {"Артикулы": ["Ref_Key", "LineNumber", "Артикул"]}),
        ("02-document-with-fi.xml", "Document_РТУ", {"Контрагент_Key": "Catalog_Контрагенты"}),
        ("03-information-register.xml", "InformationRegister_ЦеныНоменклатуры#slice_last", "Цена"),
        ("04-accumulation-register.xml", "AccumulationRegister_ОстаткиТоваров#balance", "Количество"),
        ("05-accounting-register.xml", "AccountingRegister_Хозрасчетный", "Ref_Key"),
        ("06-value-storage.xml", "Catalog_Файлы", "ФайлХранилище_Base64Data"),
        ("07-composite-ref.xml", "AccumulationRegister_X", "Recorder_Type"),
        ("08-constant.xml", "Constant_ОсновнаяВалюта", {"Value_Key": "Catalog_Валюты"}),
    ],
)
def test_each_shape_that_1c_publishes(name: str, stream: str, what: Any) -> None:
    """One document per feature: a table, a reference, a slice, a balance, a value storage, a constant."""
    info = case(name)[stream]
    if isinstance(what, str):
        assert what in info.fields
    else:
        assert {key: list(value) for key, value in info.tables.items()} == what or info.refs == what


@needed
def test_a_schema_without_sets_offers_nothing() -> None:
    """Types alone are no streams: nothing is published."""
    assert case("09-enum-and-complex.xml") == {}


def test_what_was_parsed_once_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes come from the cache, other bytes are parsed, a damaged cache file is no obstacle."""
    sets = '<EntityContainer><EntitySet Name="{n}" EntityType="StandardODATA.{n}"/></EntityContainer>'
    one = document(catalog(1) + sets.format(n="Catalog_Справочник1"))
    first = metadata.load(one, tmp_path)
    parses: list[int] = []
    real = metadata.parse

    def counted(document: IO[bytes]) -> dict[str, StreamInfo]:
        parses.append(1)
        return real(document)

    monkeypatch.setattr(metadata, "parse", counted)
    assert metadata.load(one, tmp_path) == first
    assert not parses
    two = document(catalog(2) + sets.format(n="Catalog_Справочник2"))
    assert list(metadata.load(two, tmp_path).streams) == ["Catalog_Справочник2"]
    for file in tmp_path.iterdir():
        file.write_bytes(b"{")
    assert metadata.load(one, tmp_path) == first
    assert len(parses) == 2


def test_the_cache_does_not_grow_for_ever(tmp_path: Path) -> None:
    """After many versions of a configuration only the last few stay."""
    for number in range(12):
        metadata.load(document(catalog(number)), tmp_path)
    assert len(list(tmp_path.iterdir())) == 8


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """The folder is a file: the metadata is read all the same."""
    (tmp_path / "cache").write_text("a file")
    assert metadata.load(document(catalog(1)), tmp_path / "cache").streams == {}


def test_a_big_configuration_is_read_in_little_memory() -> None:
    """A 6 MB document costs a fraction of its size, most of its types being of no use."""
    sets = "".join(f'<EntitySet Name="C{n}" EntityType="StandardODATA.Catalog_Справочник{n}"/>' for n in range(40))
    body = document("".join(catalog(n, 40) for n in range(1000)) + f"<EntityContainer>{sets}</EntityContainer>")
    size = len(body.getvalue())
    assert size > 5_000_000
    tracemalloc.start()
    try:
        streams = metadata.parse(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(streams) == 40
    assert peak < size / 2


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the kernel does not tell a process's peak memory")
def test_a_whole_trade_configuration_is_parsed_in_bounded_memory(tmp_path: Path) -> None:
    """17 MB with 4,200 sets, all published: a process of its own grows by less than four times what it really takes.

    25 MB were measured. Reading the document as a tree takes 300 MB.
    """
    path = tmp_path / "metadata.xml"
    sets = schema_of_size.write(path, 17_000_000)
    command = [sys.executable, "-m", "tests.connectors.schema_of_size", str(path)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True, timeout=100
    )
    grown, _, streams = done.stdout.split()
    assert int(streams) == sets > 4200
    assert float(grown) < 100


@pytest.mark.parametrize("damage", ["cut", "doctype", "html"])
def test_a_document_that_is_not_metadata_is_refused(damage: str) -> None:
    """Half a document, one with a document type, a page: none is taken for an empty schema."""
    whole = document(catalog(1)).getvalue()
    bodies = {
        "cut": whole[: len(whole) // 2],
        "doctype": whole.replace(b"<edmx:Edmx ", b"<!DOCTYPE x><edmx:Edmx ", 1),
        "html": b"<!doctype html><html></html>",
    }
    with pytest.raises(NotXml):
        metadata.parse(io.BytesIO(bodies[damage]))

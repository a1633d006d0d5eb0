"""A ``$metadata`` as big as a whole trade configuration gives it, and what parsing it costs a process.

``python -m tests.connectors.schema_of_size FILE`` prints the megabytes and seconds that parsing FILE took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import peak_rss_mb
from connectors.onec_odata import metadata

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" '
    'Version="1.0"><edmx:DataServices xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" '
    'm:DataServiceVersion="3.0"><Schema xmlns="http://schemas.microsoft.com/ado/2009/11/edm" Namespace="StandardODATA">'
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"
_KINDS = ("Edm.String", "Edm.Double", "Edm.Boolean", "Edm.DateTime", "Edm.Int64")
_TABLES = ("Balance", "Turnovers", "BalanceAndTurnovers")


def _properties(first: int, number: int) -> str:
    return "".join(
        f'<Property Name="Реквизит{n % 3000}" Type="{_KINDS[n % 5]}" Nullable="true"/>\n'
        for n in range(first, first + number)
    )


def _document(n: int) -> Iterator[str]:
    """A document with two tabular parts and four references."""
    name, owner = f"Document_Документ{n}", f"Catalog_Справочник{n}"
    refs = [f"Ссылка{r}" for r in range(4)]
    yield f'<EntityType Name="{name}" OpenType="true"><Key><PropertyRef Name="Ref_Key"/></Key>'
    yield '<Property Name="Ref_Key" Type="Edm.Guid" Nullable="false"/>' + _properties(n * 7, 28)
    yield "".join(f'<Property Name="{ref}_Key" Type="Edm.Guid" Nullable="true"/>' for ref in refs)
    for part in ("Товары", "Услуги"):
        yield f'<Property Name="{part}" Type="Collection(StandardODATA.{name}_{part}_RowType)" Nullable="true"/>'
    yield "".join(
        f'<NavigationProperty Name="{ref}" Relationship="StandardODATA.{name}_{ref}" FromRole="Begin" ToRole="End"/>'
        for ref in refs
    )
    yield "</EntityType>"
    for part in ("Товары", "Услуги"):
        yield f'<ComplexType Name="{name}_{part}_RowType">{_properties(n * 11, 18)}</ComplexType>'
    for ref in refs:
        yield f'<Association Name="{name}_{ref}"><End Role="Begin" Type="StandardODATA.{name}" Multiplicity="*"/>'
        yield f'<End Role="End" Type="StandardODATA.{owner}" Multiplicity="0..1"/></Association>'


def _register(n: int) -> Iterator[str]:
    """A register of balances with its record sets, rows and the rows of its virtual tables."""
    name = f"AccumulationRegister_Регистр{n}"
    yield f'<EntityType Name="{name}" OpenType="true"><Key><PropertyRef Name="Recorder"/></Key>'
    yield '<Property Name="Recorder" Type="Edm.String" Nullable="false"/>'
    yield f'<Property Name="RecordSet" Type="Collection(StandardODATA.{name}_RowType)" Nullable="false"/></EntityType>'
    for kind in ("RowType", "Balance", "Turnover", "BalanceAndTurnover"):
        yield f'<ComplexType Name="{name}_{kind}">{_properties(n * 13, 22)}</ComplexType>'


def _functions(n: int) -> Iterator[str]:
    name = f"AccumulationRegister_Регистр{n}"
    for table in _TABLES:
        row = f"{name}_{table.removesuffix('s')}"
        yield f'<FunctionImport Name="{table}" IsBindable="true" ReturnType="Collection(StandardODATA.{row})">'
        yield f'<Parameter Name="bindingParameter" Type="StandardODATA.{name}"/>'
        yield '<Parameter Name="Condition" Type="Edm.String"/></FunctionImport>'


def write(path: Path, size: int) -> int:
    """Write a document of at least ``size`` bytes; the number of sets it publishes."""
    sets: list[str] = []
    registers: list[int] = []
    written, n = 0, 0
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        while written < size:
            n += 1
            parts = [*_document(n), f'<EntityType Name="Catalog_Справочник{n}">{_properties(n, 22)}</EntityType>']
            sets += [f"Document_Документ{n}", f"Catalog_Справочник{n}"]
            if n % 3 == 0:
                registers.append(n)
                sets.append(f"AccumulationRegister_Регистр{n}")
                parts += _register(n)
            text = "".join(parts)
            written += len(text.encode())
            file.write(text)
        file.write('<EntityContainer Name="EnterpriseV8">')
        file.writelines(f'<EntitySet Name="{name}" EntityType="StandardODATA.{name}"/>' for name in sets)
        file.writelines(part for number in registers for part in _functions(number))
        file.write("</EntityContainer>" + TAIL)
    return len(sets) + len(_TABLES) * len(registers)


def main() -> None:
    """Parse the file named and print what that took beyond what the process held before."""
    before, begun = peak_rss_mb(), time.perf_counter()
    with metadata.spool() as document:
        with Path(sys.argv[1]).open("rb") as file:
            while part := file.read(1 << 18):
                document.write(part)
        streams = metadata.load(document).streams
    print(peak_rss_mb() - before, time.perf_counter() - begun, len(streams))


if __name__ == "__main__":
    main()

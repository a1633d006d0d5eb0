"""``$metadata``: the model as the EDMX that 1C 8.3/8.5 answers with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stand.onec.model import NAMESPACE, EntitySet, Model, Prop, Register, Shape

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" Version="1.0">'
    '<edmx:DataServices xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" '
    'm:DataServiceVersion="3.0" m:MaxDataServiceVersion="3.0">'
    '<Schema xmlns="http://schemas.microsoft.com/ado/2009/11/edm" Namespace="StandardODATA">'
)
_TAIL = "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
#: Platform types, declared in every base. (name, ((property, type), …)); none is nullable.
_PLATFORM = (
    ("TypeDescription", (("Types", "Collection(Edm.String)"), ("NumberQualifiers", f"{NAMESPACE}NumberQualifiers"),
     ("StringQualifiers", f"{NAMESPACE}StringQualifiers"), ("DateQualifiers", f"{NAMESPACE}DateQualifiers"),
     ("BinaryDataQualifiers", f"{NAMESPACE}BinaryDataQualifiers"))),
    ("NumberQualifiers", (("AllowedSign", "Edm.String"), ("Digits", "Edm.Int16"), ("FractionDigits", "Edm.Int16"))),
    ("StringQualifiers", (("AllowedLength", "Edm.String"), ("Length", "Edm.Int64"))),
    ("DateQualifiers", (("DateFractions", "Edm.String"),)),
    ("BinaryDataQualifiers", (("AllowedLength", "Edm.String"), ("Length", "Edm.Int64"))),
    ("PointInTime", (("Ref", "Edm.String"), ("Date", "Edm.DateTime"))),
)  # fmt: skip
#: AllowedLength really is declared twice.
_ENUMS = (
    ("AccountType", ("Active", "ActivePassive", "Passive")),
    ("AccountingRecordType", ("Credit", "Debit")),
    ("AccumulationRecordType", ("Expense", "Receipt")),
    ("AllowedSign", ("Any", "Nonnegative")),
    ("AllowedLength", ("Fixed", "Variable")),
    ("DateFractions", ("Date", "DateTime", "Time")),
    ("AllowedLength", ("Fixed", "Variable")),
)
_BALANCE = (("Condition", "Edm.String"), ("Dimensions", "Edm.String"), ("Period", "Edm.DateTime"))
_TURNOVERS = (
    ("Condition", "Edm.String"), ("Dimensions", "Edm.String"), ("EndPeriod", "Edm.DateTime"),
    ("StartPeriod", "Edm.DateTime"),
)  # fmt: skip
_SLICE = (("Condition", "Edm.String"), ("Period", "Edm.DateTime"))
_ACCOUNTS = (("AccountCondition", "Edm.String"),)
_ANALYTICS = (("ExtraDimensions", "Edm.String"),)
_RECORDS = (
    ("Condition", "Edm.String"), ("EndPeriod", "Edm.DateTime"), ("Order", "Edm.String"),
    ("StartPeriod", "Edm.DateTime"), ("Top", "Edm.Int64"),
)  # fmt: skip
#: What an accounting register's virtual tables take, by name and type of their rows.
_ACCOUNTING = (
    ("Balance", "Balance", (*_ACCOUNTS, *_BALANCE[:2], *_ANALYTICS, _BALANCE[2])),
    ("Turnovers", "Turnover", (*_ACCOUNTS, ("BalancedAccountCondition", "Edm.String"), *_TURNOVERS, *_ANALYTICS)),
    ("BalanceAndTurnovers", "BalanceAndTurnover", (*_ACCOUNTS, *_TURNOVERS, *_ANALYTICS)),
    ("RecordsWithExtDimensions", "RecordsWithExtDimensions", _RECORDS),
)
_POST = (("PostingModeOperational", "Edm.Boolean"),)
_FEED = (("DataExchangePoint", "Edm.String"), ("MessageNo", "Edm.Int64"))


def _property(prop: Prop, required: bool) -> str:
    return f'<Property Name="{prop.name}" Type="{prop.edm}" Nullable="{"false" if required else "true"}"/>'


def _required(item: EntitySet) -> set[str]:
    return {*item.key, "RecordSet"}


def _entity_type(model: Model, item: EntitySet) -> str:
    keys = "".join(f'<PropertyRef Name="{name}"/>' for name in item.key)
    required = _required(item)
    properties = "".join(_property(prop, prop.name in required) for prop in item.shape.props)
    links = "".join(
        f'<NavigationProperty Name="{p.navigation}" Relationship="{NAMESPACE}{item.name}_{p.navigation}" '
        'FromRole="Begin" ToRole="End"/>'
        for p in _navigable(model, item.shape)
    )
    opened = ' OpenType="true"' if item.shape.open_type else ""
    return f'<EntityType Name="{item.name}"{opened}><Key>{keys}</Key>{properties}{links}</EntityType>'


def _navigable(model: Model, shape: Shape) -> Iterator[Prop]:
    return (p for p in shape.navigable if p.targets[0] in model.sets)


def _complex_type(name: str, shape: Shape, required: Iterable[str]) -> str:
    needed = {*required}
    return f'<ComplexType Name="{name}">{"".join(_property(p, p.name in needed) for p in shape.props)}</ComplexType>'


def _complex_types(model: Model) -> Iterator[str]:
    for name, fields in _PLATFORM:
        body = "".join(f'<Property Name="{n}" Type="{t}" Nullable="false"/>' for n, t in fields)
        yield f'<ComplexType Name="{name}">{body}</ComplexType>'
    for item in model.sets.values():
        if item.kind == "recordset" and item.register is not None:
            row = item.register.row
            keys = next(s.key for s in model.sets.values() if s.owner == item.name)
            yield _complex_type(f"{item.name}_RowType", row, (*keys, "LineNumber") if "LineNumber" in keys else keys)
            for suffix, shape in item.register.virtual.items():
                yield _complex_type(f"{item.name}_{suffix}", shape, ())
        elif item.kind == "table":
            yield _complex_type(f"{item.name}_RowType", item.shape, item.key)


def _associations(model: Model) -> Iterator[str]:
    for item in model.sets.values():
        for prop in _navigable(model, item.shape):
            yield (
                f'<Association Name="{item.name}_{prop.navigation}">'
                f'<End Role="Begin" Type="{NAMESPACE}{item.name}" Multiplicity="*"/>'
                f'<End Role="End" Type="{NAMESPACE}{prop.targets[0]}" Multiplicity="0..1"/></Association>'
            )


def _function(name: str, bound: str, parameters: tuple[tuple[str, str], ...], returns: str, effect: bool) -> str:
    result = f' ReturnType="Collection({NAMESPACE}{returns})"' if returns else ""
    words = "".join(f'<Parameter Name="{n}" Type="{t}"/>' for n, t in parameters)
    return (
        f'<FunctionImport Name="{name}" IsBindable="true" IsSideEffecting="{"true" if effect else "false"}"{result}>'
        f'<Parameter Name="bindingParameter" Type="{NAMESPACE}{bound}"/>{words}</FunctionImport>'
    )


def _register_functions(item: EntitySet, register: Register) -> Iterator[str]:
    name = item.name
    if register.kind == "accounting":
        for function, rows, parameters in _ACCOUNTING:
            yield _function(function, name, parameters, f"{name}_{rows}", effect=False)
    if register.kind == "balance":
        yield _function("Balance", name, _BALANCE, f"{name}_Balance", effect=False)
    if register.kind in ("balance", "turnover"):
        yield _function("Turnovers", name, _TURNOVERS, f"{name}_Turnover", effect=False)
    if register.kind == "balance":
        yield _function("BalanceAndTurnovers", name, _TURNOVERS, f"{name}_BalanceAndTurnover", effect=False)
    if register.kind in ("slices", "independent"):
        bound = name if register.kind == "independent" else f"{name}_RecordType"
        yield _function("SliceLast", bound, _SLICE, bound, effect=False)
        yield _function("SliceFirst", bound, _SLICE, bound, effect=False)


def _functions(model: Model) -> Iterator[str]:
    for item in model.sets.values():
        if item.register is not None and item.kind != "records":
            yield from _register_functions(item, item.register)
        if item.kind == "document":
            yield _function("Post", item.name, _POST, "", effect=True)
            yield _function("Unpost", item.name, _POST, "", effect=True)
        if item.kind == "task":
            yield _function("ExecuteTask", item.name, (), "", effect=True)
    for item in model.sets.values():
        # The recording has a plan but not these two; the documentation does.
        if item.kind == "plan":
            yield _function("SelectChanges", item.name, _FEED, "", effect=True)
            yield _function("NotifyChangesReceived", item.name, _FEED, "", effect=True)


def document(model: Model) -> bytes:
    """The whole document in UTF-8."""
    enums = "".join(_enum(name, members) for name, members in _ENUMS)
    sets = "".join(f'<EntitySet Name="{n}" EntityType="{NAMESPACE}{n}"/>' for n in model.sets)
    types = "".join(_entity_type(model, item) for item in model.sets.values())
    rest = "".join([*_complex_types(model), enums, *_associations(model)])
    container = '<EntityContainer Name="EnterpriseV8" m:IsDefaultEntityContainer="true">'
    return f"{_HEAD}{types}{rest}{container}{sets}{''.join(_functions(model))}{_TAIL}".encode()


def _enum(name: str, members: tuple[str, ...]) -> str:
    body = "".join(f'<Member Name="{member}"/>' for member in members)
    return f'<EnumType Name="{name}" UnderlyingType="Edm.Int32">{body}</EnumType>'

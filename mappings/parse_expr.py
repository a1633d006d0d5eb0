"""Field values of a mapping file: each form of a value, validated against the kind of the field it fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from hub.model.fields import SCALE, Field, Kind
from mappings.problems import Place, Problem, closest
from mappings.scope import ANY
from mappings.source import Tree
from mappings.spec import (
    Cases,
    Concat,
    Condition,
    Const,
    Expr,
    FieldSpec,
    First,
    Mapped,
    OfRow,
    Plain,
    Read,
    Ref,
    Sum,
    Test,
)
from mappings.transforms import DEFAULT, TRANSFORMS

#: The forms of a value, by the key that tells them, with the further keys each knows.
FORMS: dict[str, tuple[str, ...]] = {
    "from": ("transform", "map", "default", "reject"),
    "ref": ("to", "not_self", "reject"),
    "const": (),
    "first": (),
    "sum": (),
    "concat": ("separator",),
    "cases": (),
    "row": ("take", "when", "unless", "value"),
}
#: What the name of a stream begins with whose records are the words of an enumeration, told by a mapping file.
ENUM = "Enum_"
#: What the names of 1C's sets begin with; a reference to any other stream is its key, of whatever form, and no GUID.
ONEC = (
    "Catalog_",
    "Document_",
    "Task_",
    "BusinessProcess_",
    "ExchangePlan_",
    "ChartOf",
    "Constant_",
    "DocumentJournal_",
    "InformationRegister_",
    "AccumulationRegister_",
    "AccountingRegister_",
    "CalculationRegister_",
)
_COMMON = ("optional", "required", "type")
#: Codes a value that is in no table, or a broken reference, may be refused with.
REJECT_CODES = ("bad_enum", "bad_reference", "unknown_unit", "unknown_vat", "illegal_status", "mail_unreadable")


def is_of_onec(stream: str) -> bool:
    """Whether a stream is a set of 1C's OData, by its name."""
    return stream.startswith(ONEC)


@dataclass(slots=True)
class Reader:
    """Reads the values of one file; problems are collected, never raised."""

    problems: list[Problem]

    def complain(self, code: str, place: Place, **params: object) -> None:
        """Note a problem at a place."""
        self.problems.append(Problem(code, place, **params))

    def unknown(self, code: str, place: Place, word: str, known: Iterable[str], **params: object) -> None:
        """Note a word that is not one of the known ones, with the one it was probably meant to be."""
        pool = list(known)
        self.complain(code, place, word=word, known=", ".join(pool), guess=closest(word, pool), **params)

    def text(self, tree: Tree, what: str) -> str | None:
        """A non-empty text that can be a name: no quotes, no backslashes, nothing unprintable."""
        if tree.kind == "scalar" and isinstance(tree.value, str) and tree.value.strip():
            return self._name(tree.value, tree.place)
        self.complain("mapping_wrong_type", tree.place, what=what, wanted="text")
        return None

    def _name(self, word: str, place: Place) -> str | None:
        if any(char in '"\\' or not char.isprintable() for char in word):
            self.complain("mapping_bad_name", place, word=ascii(word))
            return None
        return word

    def texts(self, tree: Tree, what: str) -> tuple[str, ...]:
        """A text, or a list of texts."""
        parts = tree.parts if tree.kind == "list" else [tree]
        if not parts:
            self.complain("mapping_wrong_type", tree.place, what=what, wanted="text")
        return tuple(text for part in parts if (text := self.text(part, what)) is not None)

    def one_of(self, tree: Tree, key: str, words: Iterable[str]) -> str | None:
        """The word under ``key``, which is one of ``words``."""
        word = self.text(tree.items[key], key)
        if word is not None and word not in words:
            self.unknown("mapping_unknown_word", tree.items[key].place, word, words, key=key)
            return None
        return word

    def flag(self, tree: Tree | None, what: str) -> bool:
        """True or false; an absent key is false."""
        if tree is None:
            return False
        if tree.kind != "scalar" or not isinstance(tree.value, bool):
            self.complain("mapping_wrong_type", tree.place, what=what, wanted="true/false")
        return tree.value is True

    def plain(self, tree: Tree, what: str) -> Plain:
        """Any scalar."""
        if tree.kind != "scalar":
            self.complain("mapping_wrong_type", tree.place, what=what, wanted="text")
            return None
        return tree.value

    # --- conditions ---------------------------------------------------------------------------------------------

    def condition(self, tree: Tree) -> Condition:
        """``when`` and ``unless`` of a form, a row or a rule; both may stand, all tests must hold."""
        tests: list[Test] = []
        for key in ("when", "unless"):
            part = tree.get(key)
            if part is not None:
                tests.extend(self._tests(part, key, negate=key == "unless"))
        return tuple(tests)

    def _tests(self, tree: Tree, key: str, *, negate: bool) -> list[Test]:
        if tree.kind == "scalar":
            name = self.text(tree, key)
            return [Test(name, "bool", (), negate)] if name else []
        if tree.kind != "map" or not tree.items:
            self.complain("mapping_wrong_type", tree.place, what=key, wanted="text")
            return []
        tests = []
        for name, item in tree.items.items():
            parts = item.parts if item.kind == "list" else [item]
            values = tuple(self.plain(part, name) for part in parts)
            if self._name(name, tree.key_places[name]) is not None:
                tests.append(Test(name, _wire_of_values(values), values, negate))
        return tests

    # --- values -------------------------------------------------------------------------------------------------

    def field(self, field: Field, tree: Tree, place: Place) -> FieldSpec | None:
        """One canonical field; ``None`` if its value cannot be made sense of (the problem is noted)."""
        expr = self.expr(field, tree)
        if expr is None:
            return None
        optional = required = False
        if tree.kind == "map":
            optional = self.flag(tree.get("optional"), "optional")
            required = self.flag(tree.get("required"), "required")
        if optional and (required or field.required):
            self.complain("mapping_optional_required", place, field=field.name)
        return FieldSpec(field, expr, required or field.required, optional, place)

    def expr(self, field: Field, tree: Tree, extra: tuple[str, ...] = ()) -> Expr | None:
        """A value in any of its forms; ``extra``: keys that the place it stands in allows besides."""
        if tree.kind == "scalar" and tree.value is not None:
            name = self.text(tree, field.name)
            return None if name is None else self._read(field, name, None, tree.place)
        if tree.kind != "map":
            self.complain("mapping_no_value", tree.place, field=field.name)
            return None
        forms = [key for key in tree.items if key in FORMS]
        if len(forms) != 1:
            code = "mapping_two_forms" if forms else "mapping_no_form"
            self._strange_keys(tree, (*FORMS, *_COMMON, *extra))
            self.complain(code, tree.place, field=field.name, known=", ".join(FORMS))
            return None
        form = forms[0]
        self._strange_keys(tree, (form, *FORMS[form], *_COMMON, *extra))
        return getattr(self, f"_form_{form}")(field, tree)  # type: ignore[no-any-return]

    def _strange_keys(self, tree: Tree, known: tuple[str, ...]) -> None:
        for key in tree.items:
            if key not in known:
                self.unknown("mapping_unknown_key", tree.key_places[key], key, known)

    def _read(self, field: Field, name: str, transform: Tree | None, place: Place) -> Read | None:
        if transform is None:
            default = DEFAULT.get(field.kind)
            if default is None:
                self.complain("mapping_needs_form", place, field=field.name, kind=field.kind.value)
                return None
            return Read(name, default)
        word = self.text(transform, "transform")
        if word is None:
            return None
        known = TRANSFORMS.get(word)
        if known is None:
            fitting = [item.name for item in TRANSFORMS.values() if field.kind in item.kinds]
            self.unknown("mapping_unknown_transform", transform.place, word, fitting or TRANSFORMS)
            return None
        if field.kind not in known.kinds:
            kinds = ", ".join(kind.value for kind in known.kinds)
            self.complain(
                "mapping_transform_misfit",
                transform.place,
                transform=word,
                kinds=kinds,
                field=field.name,
                kind=field.kind.value,
            )
            return None
        return Read(name, word)

    def _form_from(self, field: Field, tree: Tree) -> Expr | None:
        name = self.text(tree.items["from"], "from")
        table = tree.get("map")
        if name is None:
            return None
        if table is None:
            for key in ("default", "reject"):
                if key in tree.items:
                    self.complain("mapping_only_with_map", tree.key_places[key], key=key)
            return self._read(field, name, tree.get("transform"), tree.place)
        if "transform" in tree.items:
            self.complain("mapping_two_forms", tree.key_places["transform"], field=field.name, known="map, transform")
        return self._mapped(field, name, table, tree)

    def _mapped(self, field: Field, name: str, table: Tree, tree: Tree) -> Mapped | None:
        if table.kind != "map" or not table.items:
            self.complain("mapping_wrong_type", table.place, what="map", wanted="a: b")
            return None
        flags = set(table.items) <= {"true", "false"}
        pairs: list[tuple[Plain, str | int | None]] = []
        for key, item in table.items.items():
            pairs.append((key == "true" if flags else key, self.constant(field, item)))
        default = tree.get("default")
        return Mapped(
            name,
            tuple(pairs),
            default is not None,
            None if default is None else self.constant(field, default),
            self._reject(tree, "bad_enum"),
        )

    def _reject(self, tree: Tree, default: str) -> str:
        given = tree.get("reject")
        if given is None:
            return default
        code = self.text(given, "reject")
        if code is not None and code not in REJECT_CODES:
            self.unknown("mapping_unknown_reject", given.place, code, REJECT_CODES)
        return code or default

    def _form_ref(self, field: Field, tree: Tree) -> Expr | None:
        name = self.text(tree.items["ref"], "ref")
        if field.kind is not Kind.REF:
            self.complain("mapping_ref_misfit", tree.place, field=field.name, kind=field.kind.value)
            return None
        to = tree.get("to")
        if to is None:
            self.complain("mapping_ref_without_to", tree.place, field=field.name)
            return None
        targets = self.texts(to, "to")
        if name is None or not targets:
            return None
        word = targets[0].startswith(ENUM)
        plain = not word and not all(is_of_onec(target) for target in targets)
        typed = not word and not plain and not name.endswith("_Key")
        if not typed and len(targets) > 1:
            self.complain("mapping_ref_untyped", to.place, source=name)
        not_self = self.flag(tree.get("not_self"), "not_self")
        return Ref(name, targets, typed, not_self, self._reject(tree, "bad_reference"), word or plain)

    def _form_const(self, field: Field, tree: Tree) -> Expr | None:
        if field.kind is Kind.REF:
            self.complain("mapping_ref_misfit", tree.place, field=field.name, kind=field.kind.value)
            return None
        return Const(self.constant(field, tree.items["const"]))

    def _form_first(self, field: Field, tree: Tree) -> Expr | None:
        part = tree.items["first"]
        if part.kind != "list" or len(part.parts) < 2:
            self.complain("mapping_wrong_type", part.place, what="first", wanted="[a, b]")
            return None
        options = [self.expr(field, option) for option in part.parts]
        return First(tuple(option for option in options if option is not None))

    def _form_sum(self, field: Field, tree: Tree) -> Expr | None:
        if field.kind not in SCALE:
            self.complain("mapping_sum_misfit", tree.place, field=field.name, kind=field.kind.value)
            return None
        parts: list[tuple[int, Read]] = []
        for name in self.texts(tree.items["sum"], "sum"):
            bare = name.removeprefix("-").strip()
            parts.append((-1 if name.startswith("-") else 1, Read(bare, DEFAULT[field.kind])))
        return Sum(tuple(parts)) if parts else None

    def _form_concat(self, field: Field, tree: Tree) -> Expr | None:
        if field.kind is not Kind.TEXT:
            self.complain("mapping_concat_misfit", tree.place, field=field.name, kind=field.kind.value)
            return None
        separator = tree.get("separator")
        glue = " " if separator is None else str(self.plain(separator, "separator"))
        return Concat(tuple(Read(name, "text") for name in self.texts(tree.items["concat"], "concat")), glue)

    def _form_cases(self, field: Field, tree: Tree) -> Expr | None:
        part = tree.items["cases"]
        if part.kind != "list" or not part.parts or any(item.kind != "map" for item in part.parts):
            self.complain("mapping_wrong_type", part.place, what="cases", wanted="- {when: …, then: …}")
            return None
        branches: list[tuple[Condition, Expr]] = []
        for number, item in enumerate(part.parts, 1):
            condition = self.condition(item)
            if not condition and number < len(part.parts):
                self.complain("mapping_case_hides", item.place)
            then = item.get("then")
            value: Expr | None
            if then is not None:
                self._strange_keys(item, ("when", "unless", "then"))
                value = Const(self.constant(field, then))
            else:
                value = self.expr(field, item, ("when", "unless"))
            if value is not None:
                branches.append((condition, value))
        return Cases(tuple(branches))

    def _form_row(self, field: Field, tree: Tree) -> Expr | None:
        table = self.text(tree.items["row"], "row")
        take, value = tree.get("take"), tree.get("value")
        word = "first" if take is None else self.text(take, "take")
        if take is not None and word not in ("first", "last"):
            self.unknown("mapping_unknown_word", take.place, str(word), ("first", "last"), key="take")
        if value is None:
            self.complain("mapping_missing_key", tree.place, key="value")
            return None
        expr = self.expr(field, value)
        if expr is None or table is None:
            return None
        if not isinstance(expr, Read | Mapped):
            self.complain("mapping_row_value", value.place, field=field.name)
            return None
        return OfRow(table, word == "last", self.condition(tree), expr)

    def constant(self, field: Field, tree: Tree) -> str | int | None:
        """A constant of the file in travelling form, checked against the field's kind and choices."""
        value = self.plain(tree, field.name)
        if value is None:
            return None
        if field.kind is Kind.ENUM:
            if value not in field.choices:
                self.unknown("mapping_bad_choice", tree.place, str(value), field.choices, field=field.name)
            return str(value)
        if field.kind is Kind.TEXT and isinstance(value, str):
            return value
        if field.kind is Kind.BOOL and isinstance(value, bool):
            return int(value)
        if field.kind is Kind.INT and isinstance(value, int) and not isinstance(value, bool):
            return value
        if field.kind in SCALE and not isinstance(value, bool):
            return self._scaled(field, value, tree.place)
        self.complain("mapping_wrong_type", tree.place, what=field.name, wanted=field.kind.value)
        return None

    def _scaled(self, field: Field, value: Plain, place: Place) -> int | None:
        try:
            scaled = Decimal(str(value)).scaleb(SCALE[field.kind])
        except InvalidOperation:
            scaled = Decimal("NaN")
        if scaled.is_nan() or scaled != scaled.to_integral_value():
            self.complain("mapping_wrong_type", place, what=field.name, wanted=field.kind.value)
            return None
        return int(scaled)


def _wire_of_values(values: tuple[Plain, ...]) -> str:
    """What a source value must be to be compared with these; bool before number, because True is a number too."""
    for value in values:
        if isinstance(value, bool):
            return "bool"
        if isinstance(value, (int, float)):
            return "number"
        if isinstance(value, str):
            return "text"
    return ANY

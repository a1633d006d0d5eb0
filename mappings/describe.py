"""Documentation made from the mappings and from the compiler's own tables.

``python -m mappings.describe`` rewrites ``docs/profiles/<profile>.md`` and the generated parts of ``docs/mappings.md``
(between ``<!-- generated: name -->`` and ``<!-- end -->``); a test holds the files equal to what this makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from hub.model.fields import show
from hub.texts import sentence
from mappings.makers import MAKERS
from mappings.parse import SKIP_REASONS
from mappings.parse_expr import REJECT_CODES, is_of_onec
from mappings.profile import profiles, read_profile
from mappings.reverse import writable, writable_children
from mappings.spec import (
    Cases,
    Concat,
    Condition,
    Const,
    Expr,
    FieldSpec,
    Find,
    First,
    Mapped,
    MappingSpec,
    OfRow,
    Plain,
    Read,
    Ref,
    RowSpec,
    Sum,
)
from mappings.transforms import TRANSFORMS

DOCS = Path(__file__).parent.parent / "docs"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0])]
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# --- the profile --------------------------------------------------------------------------------------------------


def _sources(expr: Expr) -> Iterator[tuple[str, str]]:
    """(source name, what is done to it) for every source of an expression."""
    match expr:
        case Read(name, transform):
            yield name, transform
        case Mapped(name, words, has_default, default):
            pairs = ", ".join(f"{word} → {value or '∅'}" for word, value in words)
            yield name, f"map: {pairs}" + (f", else {default or '∅'}" if has_default else "")
        case Ref():
            yield from _reference(expr)
        case OfRow():
            for name, what in _sources(expr.value):
                yield f"{expr.table}.{name}", f"{what} of the {'last' if expr.last else 'first'} row{_when(expr.when)}"
        case Const():
            return
        case _:
            yield from _compound(expr)


def _reference(ref: Ref) -> Iterator[tuple[str, str]]:
    what = f"reference to {', '.join(f'`{target}`' for target in ref.targets)}"
    yield ref.name, what + (", not to itself" if ref.not_self else "")
    if ref.typed:
        yield f"{ref.name}_Type", "type of the reference"


def _compound(expr: First | Sum | Concat | Cases) -> Iterator[tuple[str, str]]:
    match expr:
        case First(options):
            for number, option in enumerate(options):
                for name, what in _sources(option):
                    yield name, f"{what} (if those above are empty)" if number else what
        case Sum(parts):
            for sign, part in parts:
                yield part.name, f"{part.transform}, {'added' if sign > 0 else 'taken off'}"
        case Concat(texts):
            for text in texts:
                yield text.name, "text, joined"
        case Cases(branches):
            for condition, branch in branches:
                yield from _branch(condition, branch)


def _branch(condition: Condition, branch: Expr) -> Iterator[tuple[str, str]]:
    value = f"`{branch.value or '∅'}`" if isinstance(branch, Const) else "what follows"
    for test in condition:
        yield test.name, f"if {_shown(test.values, negate=test.negate)}: {value}"
    yield from _sources(branch)


def _shown(values: tuple[object, ...], *, negate: bool) -> str:
    if not values:
        return "not set" if negate else "set"
    words = " or ".join(
        "empty" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in values
    )
    return f"not {words}" if negate else words


def _when(condition: Condition) -> str:
    tests = [f"{test.name} {_shown(test.values, negate=test.negate)}" for test in condition]
    return f" where {' and '.join(tests)}" if tests else ""


def _field_rows(spec: MappingSpec, item: FieldSpec, owner: str, part: str) -> Iterator[tuple[str, ...]]:
    target = f"{owner}.{item.field.name}" if owner else item.field.name
    if item.required:
        target += " \\*"
    found = list(dict.fromkeys(_sources(item.expr)))
    if isinstance(item.expr, Const):
        yield "", target, f"constant `{show(item.field.kind, item.expr.value)}`", ""
    for name, what in found:
        full = f"{part}.{name}" if part else name
        yield f"`{full}`", target, what, _standing(spec, full)


def _standing(spec: MappingSpec, name: str) -> str:
    return "guess" if spec.is_guess(name) else "seen"


def _child_rows(spec: MappingSpec, owner: str, row: RowSpec) -> Iterator[tuple[str, ...]]:
    part = f"{row.table}." if row.table else ""
    for test in row.when:
        name = f"{part}{test.name}"
        yield f"`{name}`", owner, f"a row if {_shown(test.values, negate=test.negate)}", _standing(spec, name)
    if row.number:
        yield f"`{part}{row.number}`", f"{owner}.line_no", "int", _standing(spec, f"{part}{row.number}")
    if row.maker is not None:
        words = " ".join(word for _, word in row.maker.options)
        for name in row.maker.sources:
            yield f"`{part}{name}`", owner, f"make {row.maker.name} {words}".strip(), _standing(spec, f"{part}{name}")
    for item in row.fields:
        yield from _field_rows(spec, item, owner, row.table)


def _mapping_rows(spec: MappingSpec) -> Iterator[tuple[str, ...]]:
    for name in spec.key:
        yield f"`{name}`", "key", "", _standing(spec, name)
    for what, source in (("version", spec.version), ("deletion mark", spec.deleted)):
        if source:
            yield f"`{source}`", what, "", _standing(spec, source)
    for reason, condition in spec.skip:
        for test in condition:
            shown = f"passed over as {reason} if {_shown(test.values, negate=test.negate)}"
            yield f"`{test.name}`", "", shown, _standing(spec, test.name)
    for item in (*spec.fields, *spec.ext):
        yield from _field_rows(spec, item, "", "")
    for child in spec.children:
        for row in child.rows:
            yield from _child_rows(spec, child.child.name, row)


def used_names(spec: MappingSpec) -> list[str]:
    """Every source name of a mapping (``Field`` or ``Part.Field``), in order of first use."""
    return list(dict.fromkeys(name.strip("`") for name, *_ in _mapping_rows(spec) if name))


_INTRODUCTION = """\
Fields in load order: what others refer to comes first; a field with * is required.

*Seen*: the name occurs in what a real base has answered (УТ: in the recorded `$metadata`; УНФ and БП: in recorded
answers or in public clients of such bases). *Guess*: taken from public code or general knowledge of the configuration;
`obmen check` tells what a base does not have. A guessed name that is missing there
leaves its field empty, unless the field is required: then the mapping is paused and says so. Words of enumerations
(left of the arrows) are no part of `$metadata`: those that the recorded feeds do not hold are guesses as well.
"""
_OF_TABLES = """\
Fields in load order: what others refer to comes first; a field with * is required.

Names are those of tables and columns, as in `stand/crm/schema.sql`. Yours are named otherwise: say so in an
[overlay](../mappings.md#an-overlay). `_version` is the connector's own, see [connectors](../connectors.md).
"""
_OF_CALLS = """\
Fields in load order: what others refer to comes first; a field with * is required.

Names are those of the record that a connector makes of all legs of a call, whatever exchange it speaks to: see
[calls](../calls.md#the-record).
"""
_TABLES = {
    "set": "",
    "balance": ", balances",
    "turnovers": ", turnovers",
    "balance_and_turnovers": ", balances and turnovers",
    "slice_last": ", last values",
    "slice_first": ", first values",
}


def profile_page(profile: str) -> str:
    """The page of a profile: every field with its source and standing, then the guesses alone."""
    specs = read_profile(profile)
    parts = [
        f"# Profile {profile}\n\n<!-- Made by `python -m mappings.describe`; edit the mappings, not this page. -->\n"
    ]
    parts.append(_introduction(specs))
    for spec in specs:
        stream = f"`{spec.stream}`{_TABLES[spec.table]} ({_standing(spec, 'stream')})"
        head = f"## {spec.name}: {stream} → {spec.entity.name}\n\n{_written(spec)}"
        parts.append(f"{head}\n{table(('field', 'canonical', 'transform', 'source'), _mapping_rows(spec))}")
    guesses = "".join(_guesses(spec) for spec in specs)
    return "\n".join([*parts, f"## The guesses\n\n{guesses}"] if guesses else parts)


def _introduction(specs: Sequence[MappingSpec]) -> str:
    if any(is_of_onec(spec.stream) for spec in specs):
        return _INTRODUCTION
    return _OF_CALLS if all(spec.stream == "calls" for spec in specs) else _OF_TABLES


def _written(spec: MappingSpec) -> str:
    """What of a mapping has a way back, and what it is changed by."""
    roots = [f"`{item.field.name}`" for item in spec.fields if item.field.name in writable(spec)]
    parts = [", ".join(roots)] if roots else []
    parts += [
        f"`{name}` ({', '.join(f'`{column}`' for column in columns)})"
        for name, columns in writable_children(spec).items()
    ]
    lines = [f"Writable: {'; '.join(parts)}." if parts else "Read only."]
    if spec.changed:
        lines.append(f"Changed at: `{spec.changed}`.")
    if roots and (begun := list(_begun(spec))):
        lines.append(f"New ones begin with {'; '.join(begun)}.")
    if spec.given:
        lines.append("Its records are told by the mapping; no base is asked.")
    return " ".join(lines) + "\n"


def _begun(spec: MappingSpec) -> Iterator[str]:
    """What new records and rows get besides."""
    found: dict[str, Plain | Find] = dict(spec.initial)
    for row in (row for child in spec.children for row in child.rows):
        found |= {f"{row.table}.{name}": value for name, value in row.initial}
    for supply in spec.supplies:
        yield f"`{supply.field}` of `{supply.of}`"
    for name, value in found.items():
        if isinstance(value, Find):
            yield f"`{name}` found in `{value.stream}`"
        else:
            yield f"`{name}` = {str(value).lower() if isinstance(value, bool) else value}"


def _guesses(spec: MappingSpec) -> str:
    names = [f"`{name}`" for name in used_names(spec) if spec.is_guess(name)]
    whole = "the whole set: " if "*" in spec.guessed else ""
    return f"* `{spec.stream}`: {whole}{', '.join(names)}\n" if names else ""


# --- the language -------------------------------------------------------------------------------------------------


def _transforms() -> str:
    rows = (
        (
            f"`{item.name}`",
            item.wire,
            ", ".join(kind.value for kind in item.kinds),
            item.doc,
            "yes" if item.back else "",
        )
        for item in TRANSFORMS.values()
    )
    return table(("transform", "takes", "gives", "what it does", "way back"), rows)


def _makers() -> str:
    rows = []
    for item in MAKERS.values():
        options = "; ".join(f"`{name}`: {', '.join(words)}" for name, words in item.options.items())
        rows.append((f"`{item.name}`", item.doc, ", ".join(f"`{column}`" for column in item.columns), options))
    return table(("make", "what", "fills", "options"), rows)


def _codes(prefix: str, codes: Iterable[str]) -> str:
    return table(("code", "meaning"), ((f"`{code}`", sentence(f"{prefix}{code}", "en")) for code in codes))


#: The generated parts of ``docs/mappings.md`` by name.
PARTS: dict[str, Callable[[], str]] = {
    "transforms": _transforms,
    "makers": _makers,
    "skip_reasons": lambda: _codes("skip_", SKIP_REASONS),
    "reject_codes": lambda: _codes("", REJECT_CODES),
}


def language_page(text: str) -> str:
    """The page with its generated parts made anew."""
    return _PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}{found[3]}", text)


def main() -> None:
    """Write everything that is generated."""
    page = DOCS / "mappings.md"
    page.write_text(language_page(page.read_text(encoding="utf-8")), encoding="utf-8")
    for profile in profiles():
        (DOCS / "profiles").mkdir(exist_ok=True)
        (DOCS / "profiles" / f"{profile}.md").write_text(profile_page(profile), encoding="utf-8")


if __name__ == "__main__":
    main()

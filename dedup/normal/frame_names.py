"""Names of a frame: see ``dedup.normal.words`` and ``dedup.normal.names``.

Each different word is looked at once; a row is a few numbers of words, and what stands where in a person's name is
asked once for each different sequence of classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from dedup.normal.names import places
from dedup.normal.record import Named, named, named_parts, raw_kind
from dedup.normal.words import APOSTROPHE, BETWEEN, PLAIN, SPELLED_OUT, Word, look

_MOST = 6  # words in a plain name
_CLASSES = " XIPTFSYW"
_SINGLES = "(?:^| )[0-9a-zа-яіїє] [0-9a-zа-яіїє](?: |$)"
_TEXTS = [name for name in Named._fields if name != "branch"]
_Ints = npt.NDArray[np.int64]


def names(kinds: pl.Series, texts: pl.Series, inns: pl.Series) -> pl.DataFrame:
    """The columns of ``Named`` for raw kinds, names and valid ИНН, all texts without nulls."""
    stated = kinds.replace_strict(
        old=pl.Series(unique := kinds.unique().to_list(), dtype=pl.String),
        new=pl.Series([raw_kind(kind) for kind in unique], dtype=pl.String),
    )
    table = _Words(texts)
    form = table.forms()
    person = _person_columns(table)
    firm = _firm_columns(table)
    kind = (
        pl.DataFrame({"stated": stated, "form": form, "inn": inns.str.len_bytes(), "like": person.pop("like")})
        .select(
            pl.when(pl.col("form") == "ip").then(pl.lit("i"))
            .when(pl.col("stated") != "").then(pl.col("stated"))
            .when((pl.col("form") != "") | (pl.col("inn") == 10)).then(pl.lit("o"))
            .when((pl.col("inn") == 12) | pl.col("like")).then(pl.lit("p"))
            .otherwise(pl.lit(""))
        )
        .to_series()
    )  # fmt: skip
    human = kind.is_in(["i", "p"])
    columns: dict[str, pl.Series] = {"kind": kind, "form": form}
    empty = pl.repeat("", len(texts), dtype=pl.String, eager=True)
    columns["name"] = person["name"].zip_with(human, firm["name"])
    for name in ("flat", "numbers"):
        columns[name] = empty.zip_with(human, firm[name])
    for name in ("last", "first", "middle", "gender", "others"):
        columns[name] = person[name].zip_with(human, empty)
    odd = ~table.plain | (human & person["odd"]) | (~human & firm["odd"])
    rows = odd.arg_true()
    asked = zip(stated.gather(rows), texts.gather(rows), inns.gather(rows), strict=True)
    return _with_rows(columns, len(texts), rows, [named(*one) for one in asked])


def parts(texts: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """``found`` with the names of records whose parts the source keeps apart (``apart``), each different one once."""
    rows = texts["apart"].arg_true()
    taken = texts[rows].select("kind", "last_name", "first_name", "middle_name")
    cache: dict[tuple[Any, ...], Named] = {}
    for kind, *name in taken.unique().iter_rows():
        cache[kind, *name] = named_parts(raw_kind(kind), *name)
    return _with_rows(
        {name: found[name] for name in _TEXTS},
        found.height,
        rows,
        [cache[row] for row in taken.iter_rows()],
        found["branch"],
    )


def _with_rows(
    columns: dict[str, pl.Series], height: int, rows: pl.Series, values: list[Named], branch: pl.Series | None = None
) -> pl.DataFrame:
    """The columns with ``values`` at ``rows``; a plain row is no branch."""
    marks = pl.repeat(False, height, dtype=pl.Boolean, eager=True) if branch is None else branch
    if values:
        marks = marks.scatter(rows, pl.Series([one.branch for one in values]))
        for name in _TEXTS:
            columns[name] = columns[name].scatter(
                rows, pl.Series([getattr(one, name) for one in values], dtype=pl.String)
            )
    return pl.DataFrame({**columns, "branch": marks}).select(Named._fields)


class _Words:
    """The words of a column: ``at`` holds for each row the numbers of its words, 0 where there is none.

    Word 0 is the empty one. ``plain``: whether the row can be done here at all.
    """

    def __init__(self, texts: pl.Series) -> None:
        cut = _cut(texts)
        count = cut.str.count_matches(" ", literal=True) + 1
        self.plain = texts.str.contains(PLAIN) & ~cut.str.contains_any(list(SPELLED_OUT)) & (count <= _MOST)
        self.singles = cut.str.contains(_SINGLES)
        words = cut.zip_with(self.plain, pl.repeat("", len(cut), dtype=pl.String, eager=True))
        lists = words.str.split(" ")
        flat = lists.explode()
        different = pl.Series(["", *(word for word in flat.unique() if word)], dtype=pl.String)
        known = different.alias("word").to_frame().with_row_index("n")
        joined = flat.alias("word").to_frame().join(known, on="word", how="left", maintain_order="left")
        numbers = joined["n"].to_numpy().astype(np.int32)
        lengths = lists.list.len().to_numpy().astype(np.int64)
        row = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(numbers)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        self.at = np.zeros((len(lengths), _MOST), dtype=np.int32)
        self.at[row, place] = numbers
        looked = zip(*(look(word) for word in different), strict=True)
        self._looked = dict(zip(Word._fields, looked, strict=True))

    def column(self, name: str) -> pl.Series:
        """An attribute of ``Word``, by number; the empty word's is empty."""
        return pl.Series(("", *self._looked[name][1:]), dtype=pl.String)

    def codes(self, name: str, alphabet: str) -> npt.NDArray[np.int8]:
        """A one-letter attribute as its place in ``alphabet``, by row and place; 0 where there is no word."""
        place = {letter: n for n, letter in enumerate(alphabet)}
        codes = np.fromiter((place[letter] for letter in self._looked[name]), dtype=np.int8)
        codes[0] = 0
        return codes[self.at]

    def forms(self) -> pl.Series:
        """The group of the first legal form of each row, or empty."""
        known = sorted({*self._looked["form"], ""})
        place = {form: n for n, form in enumerate(known)}
        code = np.fromiter((place[form] for form in self._looked["form"]), dtype=np.int8)[self.at]
        first = code[np.arange(len(code)), (code != 0).argmax(axis=1)]
        return pl.Series(known, dtype=pl.String).gather(pl.Series(first).cast(pl.UInt32))


def _cut(texts: pl.Series) -> pl.Series:
    return (
        texts.str.to_lowercase()
        .str.replace_all(APOSTROPHE, "${1}${2}")
        .str.replace_all("ё", "е", literal=True)
        .str.replace_all(BETWEEN, " ")
        .str.strip_chars(" ")
    )


def _firm_columns(table: _Words) -> dict[str, pl.Series]:
    """``name``, ``flat``, ``numbers`` as firms have them, and ``odd`` where a closer look is needed."""
    kinds = table.codes("org", " LBXW")
    canon = table.column("canon")
    body = (kinds == 4) & (canon.str.len_bytes().to_numpy() > 0)[table.at]
    odd = (kinds == 2).any(axis=1) | ~body.any(axis=1) | table.singles.to_numpy()
    different = pl.Series(["", *sorted(set(canon) - {""})], dtype=pl.String)
    rank = canon.to_frame().join(
        different.alias("").to_frame().with_row_index("n"), on="", how="left", maintain_order="left"
    )["n"]
    ranks = np.where(body, rank.to_numpy().astype(np.int32)[table.at], 0)
    digits = different.str.contains("^[0-9]+$").to_numpy()
    return {
        "name": _joined(_each_once(ranks), different, " "),
        "flat": _joined(ranks, different, ""),
        "numbers": _joined(np.sort(np.where(digits[ranks], ranks, 0), axis=1), different, " "),
        "odd": pl.Series(odd),
    }


def _each_once(ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    ordered = np.sort(ranks, axis=1)
    ordered[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    return ordered


def _joined(ranks: npt.NDArray[np.int32], words: pl.Series, between: str) -> pl.Series:
    """The words of each row in the order of the places; rank 0 is no word."""
    kept = [n for n in range(ranks.shape[1]) if ranks[:, n].any()]
    if not kept:
        return pl.repeat("", len(ranks), dtype=pl.String, eager=True)
    gaps = pl.Series([None, *words[1:].to_list()], dtype=pl.String)
    columns = {str(n): gaps.gather(pl.Series(ranks[:, n]).cast(pl.UInt32)) for n in kept}
    return pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=between, ignore_nulls=True)).to_series()


def _person_columns(table: _Words) -> dict[str, pl.Series]:
    """``name`` and its parts as persons have them, ``like``: a person by its words, ``odd``: needs a closer look."""
    codes = table.codes("person", _CLASSES).astype(np.int64)
    packed = codes @ (len(_CLASSES) ** np.arange(_MOST))
    _, first_row, back = np.unique(packed, return_index=True, return_inverse=True)
    patterns = ["".join(_CLASSES[code] for code in codes[row]).strip() for row in first_row]
    found = [places(pattern) for pattern in patterns]
    last = np.array([at.last[0] if at.last else -1 for at in found], dtype=np.int64)[back]
    first = np.array([at.first for at in found], dtype=np.int64)[back]
    middle = np.array([at.middle for at in found], dtype=np.int64)[back]
    odd = np.array(
        [len(at.last) > 1 or bool(at.more) or "T" in pattern for at, pattern in zip(found, patterns, strict=True)],
        dtype=bool,
    )[back]
    like = np.array([_like_person(pattern) for pattern in patterns], dtype=bool)[back]
    at = {"last": _word_at(table, last), "first": _word_at(table, first), "middle": _word_at(table, middle)}
    columns = {name: _gather(table.column(name), number) for name, number in at.items()}
    columns["others"] = _gather(table.column("others"), at["first"])
    genders = {name: _gather(table.column(f"gender_{name}"), number) for name, number in at.items()}
    frame = pl.DataFrame(columns).with_columns(**{f"gender_{name}": column for name, column in genders.items()})
    joined = frame.select(
        pl.concat_str(*(_filled(name) for name in ("last", "first", "middle")), separator=" ", ignore_nulls=True).alias(
            "name"
        ),
        pl.when(
            (pl.col("gender_first") != "")
            & (pl.col("gender_middle") != "")
            & (pl.col("gender_first") != pl.col("gender_middle"))
        )
        .then(pl.lit(""))
        .otherwise(pl.coalesce(*(_filled(f"gender_{name}") for name in ("first", "middle", "last")), pl.lit("")))
        .alias("gender"),
    )
    return {
        **columns,
        "name": joined["name"],
        "gender": joined["gender"],
        "odd": pl.Series(odd),
        "like": pl.Series(like),
    }


def _like_person(pattern: str) -> bool:
    kept = pattern.replace("X", "")
    return ("P" in kept or "F" in kept) and 2 <= len(kept) <= 4


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _word_at(table: _Words, place: _Ints) -> _Ints:
    """The number of the word at a place of each row; 0 where the place is -1."""
    return np.where(place >= 0, table.at[np.arange(len(place)), np.maximum(place, 0)], 0)


def _gather(column: pl.Series, number: _Ints) -> pl.Series:
    return column.gather(pl.Series(number).cast(pl.UInt32))

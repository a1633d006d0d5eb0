"""Answers to FETCH: they are read as imapclient's own reader reads them, and a broken one costs its letter alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_fetch_response

from connectors.imap.answers import Piece, fetched

#: What stands in a text that goes as it is; a quote and a backslash are escaped, or not where a server forgets it.
_TEXTS = st.binary(max_size=12).map(lambda raw: re.sub(rb'[\x00-\x1f"\\]', b"", raw)) | st.sampled_from(
    [rb"\"", rb"\\", rb"a\b", rb"a\\\"b", b"(", b")", b"[", b"]", b"NIL", b"12", b"{3}", b"%", b"a b"]
)
_ATOMS = st.from_regex(rb"[A-Za-z0-9+/.=<>_\\*$-]{1,8}", fullmatch=True).filter(lambda atom: not atom.endswith(b"\\"))
_LITERALS = st.binary(max_size=20)


class _Written(list[Piece]):
    """An answer in the making, as imaplib would give it."""

    def __init__(self) -> None:
        super().__init__()
        self.line = b""

    def write(self, value: Any) -> None:
        """``value``: a list, or a kind and its bytes."""
        if isinstance(value, list):
            self.line += b"("
            for n, one in enumerate(value):
                self.line += b" " if n and not (isinstance(one, list) and isinstance(value[n - 1], list)) else b""
                self.write(one)
            self.line += b")"
        elif value[0] == "literal":
            self.append((self.line + b"{%d}" % len(value[1]), value[1]))
            self.line = b""
        else:
            self.line += value[1]

    def end(self) -> None:
        """What follows the last literal."""
        self.append(self.line)
        self.line = b""


_LEAVES = (
    st.tuples(st.just("text"), _TEXTS.map(lambda text: b'"' + text + b'"'))
    | st.tuples(st.just("atom"), _ATOMS | st.just(b"NIL") | st.integers(0, 10**12).map(lambda n: b"%d" % n))
    | st.tuples(st.just("literal"), _LITERALS)
)
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=5), max_leaves=20)
_ITEMS = (
    st.tuples(st.just(b"FLAGS"), _VALUES)
    | st.tuples(st.sampled_from([b"BODY[1.2]<0>", b"BODY[HEADER.FIELDS (FROM TO)]<0>", b"x-gm-msgid"]), _VALUES)
    | st.tuples(
        st.just(b"INTERNALDATE"),
        st.sampled_from([b'"01-Jan-2024 03:04:05 +0300"', b'" 1-Feb-2024 03:04:05 -0000"', b'"soon"', b"NIL"]).map(
            lambda text: ("text", text)
        ),
    )
)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 9), st.lists(_ITEMS, max_size=5)), max_size=4))
def test_an_answer_is_what_imapclient_makes_of_it(letters: list[tuple[int, int, list[tuple[bytes, Any]]]]) -> None:
    """Atoms, numbers, texts with escapes, literals, nested lists, moments, several answers on one letter."""
    answer = _Written()
    for number, uid, items in letters:
        answer.line += b"%d " % number
        told: list[Any] = [("atom", b"UID"), ("atom", b"%d" % uid)]
        for name, value in items:
            told += [("atom", name), value]
        answer.write(told)
        answer.end()
    foreign: list[Any] = list(answer) or [None]
    assert fetched(answer) == dict(parse_fetch_response(foreign, normalise_times=False))


def test_a_structure_stays_as_it_is_nested() -> None:
    """Imapclient makes a list of the parts of a multipart; here they stand one after another, as they came."""
    line = b'7 (UID 9 BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 2 1)("image" "png" ("name" "a.png")) "mixed"))'
    structure = (("text", "plain", None, None, None, "7bit", 2, 1), ("image", "png", ("name", "a.png")), "mixed")

    def told(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(told(one) for one in value)
        return value.encode() if isinstance(value, str) else value

    assert fetched([line]) == {9: {b"SEQ": 7, b"BODYSTRUCTURE": told(structure)}}


_GOOD = b'1 (UID 1 FLAGS (\\Seen) BODY[1] "a")'


@pytest.mark.parametrize(
    "broken",
    [
        [b'2 (UID 2 FLAGS (\\Seen BODY[1] "a")'],  # a list without its end
        [b"2 (UID 2 FLAGS ())))"],
        [b'2 (UID 2 BODY[1] "a)'],  # a text without its end
        [b'2 (UID 2 BODYSTRUCTURE ("name" "a"b".pdf"))'],  # quotes in quotes
        [b"2 (UID 2 BODY[1 NIL)"],  # a section without its end
        [b"2 (UID 2 FLAGS)"],  # an item without a value
        [b"2 (UID 2) more"],
        [b"2 (UID (2) FLAGS ())"],
        [b"(UID 2 FLAGS ())"],
        [b"2 (UID 2 (FLAGS) ())"],
        [b"2 (UID 2 BODY[1] {5})"],  # a literal that is not there
        [(b"2 (UID 2 BODY[1] {5}", b"abc"), b")"],  # and one of another size
        [(b"2 (UID 2 BODY[1] {3}", b"abc")],  # cut after the literal
        [b""],
    ],
)
def test_a_broken_answer_costs_its_letter_alone(broken: list[Piece]) -> None:
    """Letters before and behind it are told of; where there are none the error says so."""
    behind: list[Piece] = [(b"3 (UID 3 BODY[1] {2}", b"xy"), b")"]
    first = fetched([_GOOD])
    if len(broken) == 1 and isinstance(broken[0], tuple):
        assert fetched([_GOOD, *behind, *broken]) == first | fetched(behind)
    else:
        assert fetched([_GOOD, *broken, *behind]) == first | fetched(behind)
    with pytest.raises(ProtocolError):
        fetched(broken)


def test_what_is_told_unasked_is_no_letters() -> None:
    """A flag that changed meanwhile is told by the letter's place in the folder, which may be another letter's uid."""
    asked = b"5 (UID 12 FLAGS (\\Seen))"
    assert fetched([b"12 (FLAGS (\\Flagged))", asked, b"12 (FLAGS ())"]) == fetched([asked])
    assert fetched([b"12 (FLAGS ())"]) == {}


def test_an_error_tells_nothing_of_a_letter() -> None:
    """Its text ends in logs and in Dagster."""
    with pytest.raises(ProtocolError) as error:
        fetched([b'2 (UID 2 BODYSTRUCTURE ("name" "tajna"tajna".pdf"))'])
    assert "tajna" not in str(error.value)


def test_a_moment_beyond_all_calendars_is_none() -> None:
    """A server's clock may say anything: the letter is dated without it."""
    for moment in (b"99-Jan-99999999999999 03:04:05 +0300", b"31-Feb-2024 03:04:05 +0300"):
        told = fetched([b'1 (UID 1 INTERNALDATE "%s")' % moment])
        assert told[1][b"INTERNALDATE"] is None

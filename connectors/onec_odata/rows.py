"""Splitting a JSON answer into its records without decoding them, and reading only their keys.

A record stays the bytes that 1C sent (``msgspec.Raw``, a view into the page): most records of a night are the same as
yesterday, and their hash tells that without looking inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.onec_odata.answers import Answer, Asked, misfit
from hub.model.errors import StopRoute

Key = tuple[str, ...]


class _Envelope(msgspec.Struct):
    value: list[msgspec.Raw] | None = None
    count: Any = msgspec.field(default=None, name="odata.count")
    error: Any = msgspec.field(default=None, name="odata.error")


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


@dataclass(frozen=True, slots=True)
class Body:
    """A split answer: its records, and how many there are in all where the server was asked to tell."""

    rows: list[msgspec.Raw]
    count: int | None


def split(answer: Answer, asked: Asked) -> Body:
    """The records of a JSON collection; whatever else the body is becomes the error that it means."""
    try:
        envelope = _decode_envelope(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise misfit(answer, asked) from None
    if envelope.error is not None or envelope.value is None:
        raise misfit(answer, asked)
    return Body(envelope.value, number(envelope.count))


def number(value: object) -> int | None:
    """A count that 1C wrote as a number or, as it does with Int64, as a text; ``None`` for anything else."""
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def key_reader(names: Sequence[str], asked: Asked) -> Callable[[msgspec.Raw], Key]:
    """A fast function from a raw record to its key: texts of the fields ``names``.

    It raises ``StopRoute(key_missing)`` for a record without them.
    """
    fields = [(f"k{number}", str | int | float | bool) for number in range(len(names))]
    renamed: Any = {f"k{number}": name for number, name in enumerate(names)}
    decode = msgspec.json.Decoder(msgspec.defstruct("Key", fields, rename=renamed)).decode

    def read(raw: msgspec.Raw) -> Key:
        try:
            found = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StopRoute("key_missing", system=asked.system, stream=asked.stream, field=", ".join(names)) from None
        return tuple(str(value) for value in msgspec.structs.astuple(found))

    return read

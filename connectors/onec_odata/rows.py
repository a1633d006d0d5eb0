"""Splitting a JSON answer into its records without decoding them, and reading only their keys.

A record stays the bytes that 1C sent (``msgspec.Raw``, a view into the page): most records of a night are the same as
yesterday, and their hash tells that without looking inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import xxhash

from connectors.onec_odata.answers import Answer, Asked, misfit
from hub.model.errors import StopRoute

Key = tuple[str, ...]
#: The field in which 1C tells that an object was written, whatever was changed in it.
VERSION = "DataVersion"


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


def sight(names: Sequence[str], asked: Asked) -> Callable[[msgspec.Raw], tuple[Key, int]]:
    """A fast function from a raw record to its key and a number that changes when the record does.

    The number stands for its DataVersion where the record has one, else for all that was sent of it; it is the same in
    every process. ``StopRoute(key_missing)`` for a record without its key.
    """
    fields = [(f"k{number}", str | int | float | bool) for number in range(len(names))]
    renamed: Any = {f"k{number}": name for number, name in enumerate(names)} | {"version": VERSION}
    shape = msgspec.defstruct("Seen", [*fields, ("version", str | None, None)], rename=renamed)
    decode = msgspec.json.Decoder(shape).decode

    def see(raw: msgspec.Raw) -> tuple[Key, int]:
        try:
            *key, version = msgspec.structs.astuple(decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StopRoute("key_missing", system=asked.system, stream=asked.stream, field=", ".join(names)) from None
        told = version.encode() if version else bytes(raw)
        return tuple(map(str, key)), xxhash.xxh3_64_intdigest(told)

    return see


def lone(body: bytes | memoryview) -> msgspec.Raw:
    """The answer for one entity as the record that a set would hold it as: without what OData says about it."""
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    about = [name for name in fields if name.startswith("odata.") or "@" in name]
    if not about:
        return msgspec.Raw(bytes(body))
    return msgspec.Raw(msgspec.json.encode({name: raw for name, raw in fields.items() if name not in about}))

"""Requests to a service before and after they are signed, and the one way to write a query or a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import msgspec


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What an account proves itself with. ``token``: what the service gave for it, where it gives one."""

    user: str = ""
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return "Keys(•••)"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked. ``path``: below the service's address, or a whole address. ``params``: the query of a GET, the
    form of a POST, or the JSON body (``as_json``), unless the signature packs them in another way. ``bare``: no key
    goes with it.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    as_json: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Packed:
    """A request as it goes out. It holds keys and is never shown."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Packed({self.method} •••)"


Sign = Callable[[Keys, Ask], Packed]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def encoded(params: Mapping[str, Any]) -> str:
    """``name=value&…`` in the given order, as RFC 1738 writes forms (a space is ``+``)."""
    return "&".join(f"{quote_plus(name)}={quote_plus(str(value))}" for name, value in params.items())


def packed(ask: Ask, headers: Mapping[str, str] | None = None) -> Packed:
    """The request as it stands, with these headers."""
    told = {**ask.headers, **(headers or {})}
    if ask.as_json:
        return Packed(ask.method, ask.path, msgspec.json.encode(ask.params), {**JSON, **told})
    text = encoded(ask.params)
    if ask.method == "GET":
        path = f"{ask.path}{'&' if '?' in ask.path else '?'}{text}" if text else ask.path
        return Packed(ask.method, path, b"", told)
    return Packed(ask.method, ask.path, text.encode(), {**FORM, **told})

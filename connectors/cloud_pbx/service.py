"""What a description of a service consists of. A service is data; what is more than data is a small named function.

``connectors/cloud_pbx/services`` holds the descriptions, ``polling`` does what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from connectors.cloud_pbx.asking import Ask, Sign
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.faults import Complaint
from connectors.notices import Hint
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording

Row = Mapping[str, Any]
#: Names of fields; the first that is filled counts.
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paging:
    """How a long list comes. ``one``: whole · ``skip``: from row number so-and-so · ``page``: by number, counted from
    ``first`` · ``halves``: as many rows as ``size`` may be a list cut short: the span is asked for again in halves.
    """

    kind: Literal["one", "skip", "page", "halves"] = "one"
    size: int = 0
    first: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """How the calls of a span of time are asked for.

    ``params``: constants, or templates of ``start``, ``end`` (moments in the zone of the service; ``last`` is the last
    second that still belongs; ``unix_start``, ``unix_end``), ``skip``, ``page``, ``size``. ``rows`` takes an answer
    apart. ``ask``: how the answer is got, where one request is not enough.
    """

    method: str
    path: str
    params: Mapping[str, Any]
    rows: Callable[[Answer], list[Row]]
    paging: Paging = field(default_factory=Paging)
    as_json: bool = False
    ask: Callable[[Client, Ask], Answer] = Client.ask

    def asked(self, start: datetime, end: datetime, page: int = 0, skip: int = 0) -> Ask:
        """The request for one page. ``end`` itself does not belong to the span any more."""
        told: dict[str, Any] = {"start": start, "end": end, "last": end - timedelta(seconds=1)}
        told |= {"unix_start": str(int(start.timestamp())), "unix_end": str(int(end.timestamp()))}
        told |= {"size": self.paging.size, "page": page, "skip": skip}
        params = {name: _filled(value, told) for name, value in self.params.items()}
        return Ask(self.method, self.path, params, self.as_json)


def _filled(value: Any, told: Mapping[str, Any]) -> Any:
    """A template filled in; one that is nothing but a name is the value itself, a number too."""
    if not isinstance(value, str):
        return value
    bare = value.removeprefix("{").removesuffix("}")
    return told[bare] if f"{{{bare}}}" == value and isinstance(told.get(bare), int) else value.format(**told)


@dataclass(frozen=True, slots=True)
class Words:
    """A value that is one of several words, in our words. ``default``: of a word that is not known."""

    names: Names
    words: Mapping[str, str]
    default: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row reads: which of its fields is what.

    ``call``: what all rows of a call have in common; where rows carry no id, ``hashed`` names what tells them apart.
    ``moment``: ``unix``, ``ms``, ``iso`` or a form of ``strptime``. ``client``: the number of the other side, ``ours``:
    of the line, ``agent``: who was rung or called. ``recordings``: ids of recordings, ``link``: a lasting address of
    one. ``prepare`` adds to a row what is no plain field of it.
    """

    call: Names
    started: Names
    client: Names
    ours: Names
    agent: Names
    direction: Words
    outcome: Words
    moment: str = "iso"
    hashed: Names = ()
    name: Names = ()
    talk: Names = ()
    wait: Names = ()
    total: Names = ()
    cause: Names = ()
    queue: Names = ()
    recordings: Names = ()
    link: Names = ()
    prepare: Callable[[Row], Row] | None = None


#: A notice as it came: headers by lower-case name and the body. Raises ``SkipRecord`` when it does not prove itself.
Verify = Callable[["HookKeys", Mapping[str, str], bytes], Hint]


@dataclass(frozen=True, slots=True)
class HookKeys:
    """What a notice is proven with: the account's own keys, or a word given to the service for it."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    hook: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    ``base``: its address, empty where every company has one of its own like ``example``. ``needs``: which of ``user``
    and ``password`` it wants. ``zone``: of its dates, empty for the one of the settings. ``grain``: it answers by whole
    days. ``span``: the most that one request covers. ``margin``: rows of one call may be so far apart. ``recording``:
    the request for a recording, where the service keeps any. ``echo``: what it asks an address for notices with, to
    hear it again.
    """

    name: str
    title: str
    base: str
    sign: Sign
    complaint: Complaint
    listing: Listing
    shape: Shape
    needs: Names = ("password",)
    example: str = ""
    zone: str = ""
    grain: Literal["second", "day"] = "second"
    span: timedelta = timedelta(days=7)
    margin: timedelta = timedelta(0)
    recording: Callable[[Client, Recording], Ask] | None = None
    login: Callable[[Client], str] | None = None
    pace: Callable[[Answer], float] | None = None
    verify: Verify | None = None
    echo: str = ""

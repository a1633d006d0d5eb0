"""The stand's engine behind a way that can be cut at any request: what is done and what is answered are two things."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import quote

from connectors.base import Change, WriteResult
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from stand.onec.engine import Engine
from stand.onec.generate.build import build
from stand.onec.quirks import Quirks
from stand.onec.wire import Request as Wanted
from stand.onec.world import World, rows_of
from tests.connectors.server import Reply, Request, Scripted, serving

ORDERS, CLIENTS, UNITS = "Document_ЗаказКлиента", "Catalog_Контрагенты", "Catalog_УпаковкиЕдиницыИзмерения"

#: What becomes of a request: its answer is lost before or after it is done, or in the middle; it gets another answer
#: and is not done; something happens first and it is done.
Act = Literal["before", "after", "half"] | Reply | Callable[[], Any]


class Front:
    """One base and the way to it. ``own_keys``: whether the base takes the key that a new record brings."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or build(3, clients=6, products=5, orders=6)
        self.quirks = Quirks()
        self.own_keys = True
        self._engine = Engine(self.world, "http://stand/base/odata/standard.odata", self.quirks)
        self._orders: list[tuple[str, str, Act]] = []
        self._server: Scripted | None = None

    def on(self, method: str, *acts: Act, part: str = "") -> None:
        """The next requests with that method (and ``part`` in their path) are met with ``acts``, one each."""
        self._orders += [(method, part, act) for act in acts]

    def forget(self) -> None:
        """Let what is ordered and has not happened go."""
        self._orders.clear()

    def record(self, stream: str, key: str) -> dict[str, Any]:
        """The record as the base holds it."""
        found = self.world.get(stream, key)
        assert found is not None
        return found

    @property
    def requests(self) -> list[Request]:
        """Everything that arrived."""
        assert self._server is not None
        return self._server.requests

    @property
    def writes(self) -> list[str]:
        """Writing requests that arrived: the method, with the action where it is one."""
        found = [request for request in self.requests if request.method != "GET"]
        return [request.method + request.path.partition(")/")[2].partition("?")[0] for request in found]

    def bodies(self, method: str) -> list[dict[str, Any]]:
        """What the writing requests with that method brought."""
        return [json.loads(request.body) for request in self.requests if request.method == method and request.body]

    def open(self, **settings: Any) -> OneC:
        """A connector to it; the caller closes it."""
        assert self._server is not None
        given = {
            "url": self._server.url,
            "patience": Patience(retries=3, first=0.0),
            "timeout": 5.0,
            "title": "УТ",
            **settings,
        }
        return OneC(OneCSettings("ut", **given))

    @contextmanager
    def serving(self) -> Iterator[Front]:
        """Serve until the block ends."""
        with serving(self._answer) as self._server:
            yield self

    def _answer(self, request: Request) -> Reply:
        act = self._due(request)
        if isinstance(act, Reply):
            return act
        if act == "before":
            return Reply(cut=-1)
        if callable(act):
            act()
        path, _, query = request.path.partition("?")
        body = request.body if self.own_keys or request.method != "POST" else _without_key(request.body)
        raw = request.raw.partition("?")[2]
        found = self._engine.handle(Wanted(request.method, quote(path), raw or query, request.headers, body))
        headers = {name: value.encode().decode("latin-1") for name, value in found.headers.items()}
        cut = {"after": -1, "half": len(found.body) // 2}.get(act) if isinstance(act, str) else None
        return Reply(found.status, found.body, found.content_type, headers, cut)

    def _due(self, request: Request) -> Act | None:
        for place, (method, part, act) in enumerate(self._orders):
            if method == request.method and part in request.path:
                del self._orders[place]
                return act
        return None


def _without_key(body: bytes) -> bytes:
    if not body:
        return body
    fields = json.loads(body)
    fields.pop("Ref_Key", None)
    return json.dumps(fields, ensure_ascii=False).encode()


def one(connector: OneC, stream: str, change: Change) -> WriteResult:
    """Write one change."""
    [result] = connector.write(stream, [change])
    return result


def shown(result: WriteResult) -> dict[str, Any]:
    """The record that came back."""
    assert result.record is not None
    return dict(json.loads(result.record))


def order(front: Front, *, posted: bool) -> dict[str, Any]:
    """Some order with at least two lines, posted or not."""
    for record in front.world.records(ORDERS):
        rows = rows_of(record.get("Товары"))
        if len(rows) > 1:
            front.world.edit(ORDERS, record["Ref_Key"], {"Товары": rows, "Posted": posted})
            return record
    raise AssertionError("no order has two lines")

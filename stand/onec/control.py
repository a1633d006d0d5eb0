"""``/_stand/…``: the way to change a running stand from another process. Served only when started with ``--control``.

``GET /_stand/state``, and ``POST`` of a JSON object to one of ``ACTIONS``; ``stand/README.md`` lists their fields.
A key of several fields is a list. What a test does with attributes of ``OneCStand``, this does over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stand.onec.calling import Address, Failed
from stand.onec.commerceml.session import exchange_orders, send_catalog
from stand.onec.commerceml.site import Site
from stand.onec.enterprise.caller import Caller
from stand.onec.enterprise.exchange import Refused
from stand.onec.enterprise.objects import PLAN
from stand.onec.people import work
from stand.onec.script import edit_of, key_of
from stand.onec.unshown import unshown
from stand.onec.wire import Response
from stand.onec.world import World

if TYPE_CHECKING:
    from stand.onec.service import Service

PREFIX = "/_stand/"
_JSON = "application/json; charset=utf-8"


def _reply(status: int, value: Any) -> Response:
    return Response(status, _JSON, json.dumps(value, ensure_ascii=False, default=str).encode())


def _edit_of(service: Service, asked: dict[str, Any]) -> Callable[[World], Any]:
    """An edit of a record in the base, or of a document of a packed set."""
    volume = service.engine.volumes.get(str(asked.get("set")))
    if volume is None:
        return edit_of(asked)
    if asked["do"] not in ("edit", "touch"):
        raise ValueError(f"a packed set knows no {asked['do']}")
    key, fields = str(asked["key"]), dict(asked["fields"]) if asked["do"] == "edit" else {}
    return lambda _world: {"DataVersion": volume.edit(key, fields)}


def _edit(action: str) -> Callable[[Service, dict[str, Any]], Any]:
    return lambda service, asked: _edit_of(service, {**asked, "do": action})(service.engine.world)


def _quirks(service: Service, asked: dict[str, Any]) -> Any:
    before = service.quirks.state()
    service.quirks.update(asked)
    try:
        service.engine.prepare()
    except ValueError:
        service.quirks.update(before)
        raise
    return service.quirks.state()


def _forbid(service: Service, asked: dict[str, Any]) -> Any:
    name, key, world = str(asked["set"]), key_of(asked["key"]), service.engine.world
    if world.get(name, key) is None:
        raise KeyError(f"{name} has no {key}")
    (world.forbidden.add if asked.get("hidden", True) else world.forbidden.discard)((name, key))
    return {"forbidden": len(world.forbidden)}


def _script(service: Service, asked: dict[str, Any]) -> Any:
    name, edits = str(asked["set"]), [_edit_of(service, edit) for edit in asked["edits"]]
    if name not in service.engine.world.model.sets:
        raise KeyError(name)

    def play(world: World) -> None:
        for edit in edits:
            edit(world)

    service.script.when(name, int(asked.get("page", 1)), play)
    return {"waiting": len(service.script.steps)}


def _people(service: Service, asked: dict[str, Any]) -> Any:
    return work(service.engine.world, str(asked["do"]), str(asked["who"]), str(asked.get("value", "")))


def _snapshot(service: Service, asked: dict[str, Any]) -> Any:
    service.snapshots.take(str(asked.get("name", "")))
    return {"snapshots": list(service.snapshots.moments)}


def _restore(service: Service, asked: dict[str, Any]) -> Any:
    service.snapshots.restore(str(asked.get("name", "")))
    return {}


def _restart(service: Service, asked: dict[str, Any]) -> Any:
    service.restart(float(asked["seconds"]))
    return {}


def _register(service: Service, asked: dict[str, Any]) -> Any:
    service.engine.exchange.register_all(str(asked["node"]))
    return {"registered": len(service.engine.exchange.changes[str(asked["node"])])}


def _node(service: Service, asked: dict[str, Any]) -> Any:
    service.exchange.nodes.add(str(asked["code"]), str(asked.get("prefix", "")))
    return service.exchange.nodes.state()


def _folder(service: Service, asked: dict[str, Any]) -> Any:
    if service.folder is None:
        raise ValueError("the stand was started without --folder")
    ways = {"send": service.folder.send, "receive": service.folder.receive}
    if asked.get("do") not in ways:
        raise ValueError("do is send or receive")
    try:
        path = ways[asked["do"]](service.exchange.node(PLAN, str(asked.get("code", ""))))
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return {"file": path.name, "nodes": service.exchange.nodes.state()}


def _address(asked: dict[str, Any]) -> Address:
    return Address(str(asked["url"]), str(asked.get("user", "")), str(asked.get("password", "")))


def _site(service: Service, asked: dict[str, Any]) -> Any:
    site = Site(_address(asked))
    ways = {"catalog": send_catalog, "orders": exchange_orders}
    if asked.get("do") not in ways:
        raise ValueError("do is catalog or orders")
    try:
        return asdict(ways[asked["do"]](service.engine.world, site))
    except Failed as failed:
        raise ValueError(str(failed)) from None


def _call(service: Service, asked: dict[str, Any]) -> Any:
    caller = Caller(service.exchange, _address(asked))
    try:
        node = caller.connect()
        caller.send(node)
        caller.receive(node)
    except (Failed, Refused) as failed:
        raise ValueError(str(failed)) from None
    return service.exchange.nodes.state()


def _clear(service: Service, _asked: dict[str, Any]) -> Any:
    service.log.clear()
    service.sessions.clear()
    return {}


#: What can be posted, by the last word of the address.
ACTIONS: dict[str, Callable[[Service, dict[str, Any]], Any]] = {
    **{action: _edit(action) for action in ("edit", "add", "delete", "touch")},
    "people": _people,
    "quirks": _quirks,
    "forbid": _forbid,
    "script": _script,
    "snapshot": _snapshot,
    "restore": _restore,
    "restart": _restart,
    "register": _register,
    "node": _node,
    "folder": _folder,
    "site": _site,
    "call": _call,
    "clear": _clear,
}


def answer(service: Service, method: str, path: str, body: bytes) -> Response:
    """Carry out one control request; mistakes are answered with 400 and a sentence."""
    action = path.removeprefix(PREFIX).strip("/")
    if method == "GET" and action == "state":
        return _reply(200, state(service))
    if method != "POST" or action not in ACTIONS:
        return _reply(404, {"error": f"no such control request: {method} {path}"})
    try:
        return _reply(200, ACTIONS[action](service, json.loads(body or b"{}")))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return _reply(400, {"error": f"{type(error).__name__}: {error}"})


def state(service: Service) -> dict[str, Any]:
    """Counters, switches and sizes."""
    log, world = service.log, service.engine.world
    return {
        "requests": len(log),
        "writes": log.writes,
        "methods": dict(log.methods),
        "sets": dict(log.sets),
        "bytes_sent": log.bytes_sent,
        "sessions": service.sessions.state(),
        "struck": service.quirks.struck,
        "script": {
            "waiting": len(service.script.steps),
            "played": service.script.played,
            "errors": service.script.errors,
        },
        "snapshots": list(service.snapshots.moments),
        "nodes": service.exchange.nodes.state(),
        "quirks": service.quirks.state(),
        "records": {name: len(table) for name, table in world.tables.items() if len(table)}
        | {name: volume.file.count for name, volume in service.engine.volumes.items()},
        "unshown_contacts": unshown(world),
        "version": world.version,
    }

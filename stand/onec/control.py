"""``/_stand/…``: the way to change a running stand from another process. Served only when started with ``--control``.

``GET /_stand/state`` · ``POST /_stand/edit {"set", "key", "fields"}`` · ``add {"set", "fields"}`` ·
``delete {"set", "key"}`` · ``quirks {name: value}`` · ``clear`` (counters). A key of several fields is a list.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stand.onec.wire import Response
from stand.onec.world import Key, World

if TYPE_CHECKING:
    from stand.onec.server import Service

PREFIX = "/_stand/"
_JSON = "application/json; charset=utf-8"


def _reply(status: int, value: Any) -> Response:
    return Response(status, _JSON, json.dumps(value, ensure_ascii=False, default=str).encode())


def _key(value: Any) -> Key:
    return tuple(map(str, value)) if isinstance(value, list) else str(value)


def _act(world: World, action: str, asked: dict[str, Any]) -> Any:
    name = asked["set"]
    if action == "edit":
        record = world.edit(name, _key(asked["key"]), asked["fields"])
        return {"DataVersion": record.get("DataVersion")}
    if action == "add":
        return {"key": world.key_of(name, world.add(name, asked["fields"]))}
    world.delete(name, _key(asked["key"]))
    return {}


def answer(service: Service, method: str, path: str, body: bytes) -> Response:
    """Carry out one control request; mistakes are answered with 400 and a sentence."""
    action = path.removeprefix(PREFIX).strip("/")
    if method == "GET" and action == "state":
        return _reply(200, state(service))
    if method != "POST":
        return _reply(404, {"error": f"no such control request: {method} {path}"})
    try:
        asked = json.loads(body or b"{}")
        if action == "quirks":
            service.quirks.update(asked)
            return _reply(200, service.quirks.state())
        if action == "clear":
            service.log.clear()
            return _reply(200, {})
        if action in ("edit", "add", "delete"):
            return _reply(200, _act(service.engine.world, action, asked))
    except (ValueError, KeyError, TypeError) as error:
        return _reply(400, {"error": f"{type(error).__name__}: {error}"})
    return _reply(404, {"error": f"no such control request: {method} {path}"})


def state(service: Service) -> dict[str, Any]:
    """Counters, switches and sizes."""
    log, world = service.log, service.engine.world
    return {
        "requests": len(log),
        "writes": log.writes,
        "methods": dict(log.methods),
        "bytes_sent": log.bytes_sent,
        "quirks": service.quirks.state(),
        "records": {name: len(table) for name, table in world.tables.items() if len(table)},
        "version": world.version,
    }

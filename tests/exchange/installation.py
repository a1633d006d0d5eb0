"""A hub on a given store with systems of the test's choosing, without a hub.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.base import Connector
from hub.exchange.hub import Hub
from hub.model.settings import RouteSettings, SecretRef, Settings, SystemSettings
from hub.store.database import Store


def make_hub(
    store: Store,
    home: Path,
    connectors: Mapping[str, Connector] | None = None,
    systems: Mapping[str, SystemSettings] | None = None,
    routes: Mapping[str, RouteSettings] | None = None,
) -> Hub:
    """A hub whose systems are the given connectors under the УТ profile, or real ones by their settings."""
    wanted = dict(systems or {})
    for code in connectors or {}:
        wanted.setdefault(
            code, SystemSettings(code=code, kind="memory", timezone="Europe/Moscow", profile="onec_ut11", page_size=20)
        )
    settings = Settings(
        home=home,
        path=home / "hub.yaml",
        company_timezone="Europe/Moscow",
        store_url="",
        systems=wanted,
        routes=dict(routes or {}),
        demo=True,
    )
    if connectors is None:
        return Hub(settings, store)
    return Hub(settings, store, lambda system, _cache: connectors[system.code])


def onec_system(url: str, user: str, password: str, **more: object) -> SystemSettings:
    """Settings of a stand as the system ``ut``."""
    return SystemSettings(
        code="ut",
        kind="onec_odata",
        timezone="Europe/Moscow",
        profile="onec_ut11",
        url=url,
        user=user,
        password=SecretRef("plain", password),
        **more,  # type: ignore[arg-type]
    )

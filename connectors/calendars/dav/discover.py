"""Where the calendars of an account are: from its address over principal and home to them (RFC 6764, 4791)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.calendars.dav.client import Client
from connectors.calendars.dav.xml import Item, path_of
from hub.model.errors import NeedsPerson, StopSystem

_WELL_KNOWN = "/.well-known/caldav"
_ASKED = ("displayname", "resourcetype", "C:supported-calendar-component-set", "supported-report-set")


@dataclass(frozen=True, slots=True)
class Collection:
    """A calendar. ``components``: what may be in it, empty where the server does not say."""

    href: str
    name: str
    components: frozenset[str]
    syncs: bool

    def takes(self, component: str) -> bool:
        """Whether such a component may be in it."""
        return not self.components or component in self.components


def discover(client: Client) -> list[Collection]:
    """The calendars that the settings name, all without, in one order; ``StopSystem`` where there is none."""
    account = client.wire.account
    start = path_of(urlsplit(account.url).path or "/")
    found = _at(client, start) or _from_home(client, start)
    if not found:
        raise StopSystem("calendar_none", system=account.title)
    found.sort(key=lambda one: one.href)
    return _chosen(found, account.calendars, account.title)


def _at(client: Client, href: str) -> list[Collection]:
    """The address itself, where it is a calendar or holds some."""
    item = client.probe(href, *_ASKED)
    if item is None:
        return []
    if "calendar" in item.names("resourcetype"):
        return [_collection(item)]
    return [_collection(one) for one in client.properties(href, 1, *_ASKED) if "calendar" in one.names("resourcetype")]


def _from_home(client: Client, start: str) -> list[Collection]:
    for href in dict.fromkeys((start, _WELL_KNOWN, "/")):
        item = client.probe(href, "current-user-principal", "C:calendar-home-set")
        if item is None:
            continue
        home, principal = item.inner("calendar-home-set"), item.inner("current-user-principal")
        if not home and principal:
            owner = client.probe(principal, "C:calendar-home-set")
            home = owner.inner("calendar-home-set") if owner is not None else ""
        if home:
            return _at(client, home)
    return []


def _collection(item: Item) -> Collection:
    told = item.props.get("supported-calendar-component-set")
    components = frozenset(str(one.get("name", "")).upper() for one in told) if told is not None else frozenset()
    name = item.text("displayname") or item.href.rstrip("/").rpartition("/")[2]
    reports = item.names("supported-report-set")
    return Collection(item.href, name, components, not reports or "sync-collection" in reports)


def _chosen(found: Sequence[Collection], wanted: Sequence[str], system: str) -> list[Collection]:
    """Those that the settings name, by name or last part of the path, in the order of the settings."""
    if not wanted:
        return list(found)
    chosen: dict[str, Collection] = {}
    for word in wanted:
        fits = [one for one in found if word in {one.name, one.href, one.href.rstrip("/").rpartition("/")[2]}]
        if not fits:
            known = ", ".join(one.name for one in found)
            raise NeedsPerson("calendar_unknown", system=system, calendar=word, known=known)
        chosen.update({one.href: one for one in fits})
    return list(chosen.values())

"""Descriptions of the services, by the name that ``calls.service`` of hub.yaml takes."""

from __future__ import annotations

from connectors.cloud_pbx.config import CloudSettings
from connectors.cloud_pbx.service import Service
from connectors.cloud_pbx.services.beeline import BEELINE
from connectors.cloud_pbx.services.mango import MANGO
from connectors.cloud_pbx.services.megafon import MEGAFON
from connectors.cloud_pbx.services.sipuni import SIPUNI
from connectors.cloud_pbx.services.telphin import TELPHIN
from connectors.cloud_pbx.services.uis import NOVOFON, UIS
from connectors.cloud_pbx.services.zadarma import NOVOFON_CLASSIC, ZADARMA
from hub.model.errors import NeedsPerson

SERVICES: dict[str, Service] = {
    one.name: one for one in (MANGO, MEGAFON, UIS, NOVOFON, ZADARMA, BEELINE, TELPHIN, SIPUNI)
}


def service_of(settings: CloudSettings) -> Service:
    """The description that fits the account; ``NeedsPerson(cloud_service_missing, cloud_needs)``.

    Novofon has two interfaces: a key with its secret (``user`` and ``password``) belongs to the older one.
    """
    if settings.service not in SERVICES:
        raise NeedsPerson("cloud_service_missing", system=settings.title, valid=", ".join(SERVICES))
    found = SERVICES[settings.service]
    if found is NOVOFON and settings.user:
        found = NOVOFON_CLASSIC
    given = {"user": settings.user, "password": settings.password}
    if missing := [name for name in found.needs if not given[name]]:
        raise NeedsPerson("cloud_needs", system=settings.title, service=found.title, keys=", ".join(missing))
    return found

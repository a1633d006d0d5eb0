"""The summary of an exchange: the one call for all who show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.model.errors import HubError
from hub.reports import facts
from hub.reports.building import build
from hub.reports.model import Summary

if TYPE_CHECKING:
    from hub.exchange.hub import Hub


def summary(hub: Hub, run_id: int | None = None, errors: Mapping[str, HubError] | None = None) -> Summary:
    """The summary of run ``run_id``, of the latest one without it.

    ``errors``: what ended routes of this very run, by route code, where the caller still has it; of earlier versions
    of the program the journal has only a Russian text.
    """
    return build(hub.store, hub.settings, run_id, errors or {}, facts.now())

"""Documents are laid out by day of the company's zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from dagster import DailyPartitionsDefinition

from hub.model.settings import RouteSettings

#: Years before this one whose days are shown when no route says from when its documents count.
YEARS_BACK = 2


def document_days(timezone: str, routes: Iterable[RouteSettings], today: date) -> DailyPartitionsDefinition:
    """All days from the earliest ``not_before`` of the routes (else from 1 January, two years ago) to today.

    Today's day is there while it lasts, so that what is exchanged now has a place; hence a job must name the day it
    means: left to itself Dagster takes the newest, which is not over.
    """
    told = [route.not_before for route in routes if route.not_before is not None]
    start = min(told, default=date(today.year - YEARS_BACK, 1, 1))
    return DailyPartitionsDefinition(start_date=start.isoformat(), timezone=timezone, end_offset=1)

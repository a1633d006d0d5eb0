"""Whatever goes wrong in a route, as an error of the house."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError, OperationalError

from hub.model.errors import HubError, RetryLater, StopRoute

log = logging.getLogger("obmen.exchange")


def caught(act: Callable[[], None], code: str) -> HubError | None:
    """Do it for the route ``code``; the error that ended it, if any."""
    try:
        act()
    except HubError as error:
        return error
    except OperationalError as error:
        return RetryLater("store_busy", detail=_first_line(error))
    except DBAPIError as error:
        return StopRoute("store_refuses", detail=_first_line(error))
    except Exception as error:
        log.exception("%s failed", code)
        return StopRoute("internal", detail=type(error).__name__)
    return None


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0][:200] if str(error.orig) else type(error.orig).__name__

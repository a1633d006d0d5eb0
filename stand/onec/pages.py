"""Answers that do not come from OData: pages of the web server and of 1C's web extension."""

from __future__ import annotations

import json

from stand.onec.wire import Response

HTML = "text/html; charset=utf-8"
UNAUTHORISED = (
    "<!DOCTYPE html><html><head><title>401 - Unauthorized: Access is denied due to invalid credentials.</title></head>"
    "<body><h1>Server Error</h1><h2>401 - Unauthorized: Access is denied due to invalid credentials.</h2></body></html>"
)
APPLICATION_ERROR = (
    "<!DOCTYPE html><html><head><title>1C:Enterprise 8 application error</title></head>"
    "<body><h1>1C:Enterprise 8 application error</h1><p>Ошибка при выполнении запроса</p></body></html>"
)
BAD_URL = "<html><head><title>Bad Request</title></head><body><h2>Bad Request - Invalid URL</h2></body></html>"
LONG_QUERY = (
    "<!DOCTYPE html><html><head><title>IIS 10.0 Detailed Error - 404.15 - Not Found</title></head><body><h3>HTTP Error "
    "404.15 - Not Found</h3><h4>The request filtering module is configured to deny a request where the query string is "
    "too long.</h4></body></html>"
)
DOWN = "<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"
NOT_FOUND = "<html><body><h1>404 - File or directory not found.</h1></body></html>"
NO_SESSION = {
    400: "<html><body><h1>400 - Bad Request</h1></body></html>",
    406: "<html><body><h1>406 - Not Acceptable</h1></body></html>",
}
FAILED = "Ошибка при выполнении запроса GET к ресурсу"
#: Worded after the platform's own dialogue; the form in which the web extension tells it is a guess.
NO_LICENCE = "Не обнаружено свободной лицензии!"


def html(status: int, text: str, **headers: str) -> Response:
    """A page. Header names are written with ``_`` for ``-``."""
    return Response(status, HTML, text.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def exception(text: str = FAILED) -> Response:
    """The body of the application server: neither OData nor HTML."""
    body = json.dumps({"exception": "Exception", "inner": None, "descr": text}, ensure_ascii=False)
    return Response(500, "application/json", body.encode())

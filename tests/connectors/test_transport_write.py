"""Writing requests on the wire: what may be repeated, what may not, and what reaches the server."""

from __future__ import annotations

import ssl

import pytest
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from connectors import web
from connectors.onec_odata.answers import Asked
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.transport import Transport
from connectors.web import Patience
from connectors.writing import Unanswered
from hub.model.errors import RetryLater
from tests.connectors.conftest import EAGER
from tests.connectors.server import Reply, Request, Scripted, fault, serving

ASKED = Asked("УТ", "Catalog_X")
POOL = HTTPConnectionPool("127.0.0.1")
LINE = HTTPConnection("127.0.0.1")


def transport(server: Scripted, slept: list[float] | None = None, **settings: object) -> Transport:
    """A transport to that server; what it would sleep is noted in ``slept``."""
    given: dict[str, object] = {"patience": EAGER, "timeout": 5.0, **settings}
    note = slept.append if slept is not None else lambda _: None
    return Transport(OneCSettings("ut", server.url, **given), note)  # type: ignore[arg-type]


def test_body_and_headers_reach_the_server_once() -> None:
    """A PATCH with what was given; counted as one request and one write."""
    with serving(lambda r: Reply(body=b"{}")) as server:
        sender = transport(server)
        answer = sender.send("PATCH", f"{server.url}/x", ASKED, b'{"A": 1}', {"If-Match": "v1"})
        [request] = server.requests
    assert (answer.status, request.method, request.body) == (200, "PATCH", b'{"A": 1}')
    assert (request.headers["if-match"], request.headers["accept"]) == ("v1", "application/json")
    assert (sender.traffic.requests, sender.traffic.writes, sender.traffic.retries) == (1, 1, 0)


def test_an_empty_body_says_how_long_it_is() -> None:
    """IIS refuses a POST without a length (411)."""
    with serving(lambda r: Reply()) as server:
        transport(server).send("POST", f"{server.url}/x", ASKED, b"", {})
        assert server.requests[0].headers["content-length"] == "0"


@pytest.mark.parametrize("reply", [fault(400, "4", "x"), fault(500, "-1", "x"), Reply(401), Reply(404), Reply(412)])
def test_a_refusal_comes_back_as_it_is(reply: Reply) -> None:
    """Only the caller knows what it means; it is sent once."""
    with serving(lambda r: reply) as server:
        assert transport(server).send("POST", f"{server.url}/x", ASKED, b"{}", {}).status == reply.status
        assert len(server.requests) == 1


def test_the_pause_is_the_one_that_the_server_asks_for() -> None:
    """``Retry-After`` of a server that is busy counts for writing too."""
    replies = [Reply(503, headers={"Retry-After": "7"}), Reply(406), Reply()]
    slept: list[float] = []
    with serving(lambda r: replies.pop(0)) as server:
        sender = transport(server, slept, patience=Patience(retries=3, first=2.0))
        sender.send("POST", f"{server.url}/x", ASKED, b"{}", {})
    assert slept == [7.0, 4.0]
    assert sender.traffic.writes == 3


@pytest.mark.parametrize("reply", [Reply(cut=-1), Reply(body=b"{}" * 9, cut=5), Reply(500), Reply(502), Reply(504)])
def test_an_answer_that_is_lost_is_told_and_never_repeated(reply: Reply) -> None:
    """A dropped connection, half an answer, a failure without 1C's own words."""
    with serving(lambda r: reply) as server:
        with pytest.raises(Unanswered):
            transport(server).send("POST", f"{server.url}/x", ASKED, b"{}", {})
        assert len(server.requests) == 1


def test_a_session_that_has_ended_is_begun_anew() -> None:
    """1C answers 400 to its cookie and does nothing: the change goes out again with a new session."""
    given: list[str] = []

    def script(request: Request) -> Reply:
        cookie = request.headers.get("cookie", "")
        if cookie and cookie != given[-1]:
            return Reply(400, b"<html>session</html>", "text/html")
        given.append(f"ibsession={len(given)}")
        return Reply(headers={"Set-Cookie": f"{given[-1]}; path=/"})

    with serving(script) as server:
        sender = transport(server, max_sessions=1)
        sender.get(f"{server.url}/x", ASKED)
        given.append("ibsession=ended")
        assert sender.send("PATCH", f"{server.url}/x", ASKED, b"{}", {}).status == 200
        assert [request.method for request in server.requests] == ["GET", "PATCH", "PATCH"]


def test_patience_in_looking_ends() -> None:
    """So many looks as a reading request has tries, each pause longer; then it says so at once."""
    slept: list[float] = []
    with serving(lambda r: Reply()) as server:
        sender = transport(server, slept, patience=Patience(retries=3, first=1.0))
        assert [sender.pause(attempt) for attempt in range(1, 6)] == [True, True, True, False, False]
    assert slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (NewConnectionError(LINE, "refused"), True),
        (ConnectTimeoutError(), True),
        (ProxyError("no", OSError()), True),
        (SSLError(ssl.SSLCertVerificationError(1, "expired")), True),
        (SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")), False),
        (ReadTimeoutError(POOL, "/x", "slow"), False),
        (ProtocolError("reset", ConnectionResetError()), False),
    ],
)
def test_what_cannot_have_been_sent_is_known(error: HTTPError, unsent: bool) -> None:
    """No connection, or a certificate refused before it: nothing sent. Everything else may have been."""
    assert web.unsent(error) is unsent


def test_a_base_that_is_down_is_met_with_patience_and_told() -> None:
    """Nothing listens: tried again, for nothing was sent, and raised as a passing fault."""
    sender = Transport(OneCSettings("ut", "http://127.0.0.1:1/b", patience=EAGER), lambda _: None)
    with pytest.raises(RetryLater) as error:
        sender.send("POST", "http://127.0.0.1:1/b/x", ASKED, b"{}", {})
    assert (error.value.code, sender.traffic.retries) == ("source_unreachable", EAGER.retries)

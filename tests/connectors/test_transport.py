from __future__ import annotations

import base64
import gzip
import io
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from connectors import web
from connectors.onec_odata.answers import Asked
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.transport import IDLE, Transport, _headers
from connectors.web import Patience, TooBig
from hub.model.errors import HubError, RetryLater, StopSystem
from tests.connectors.conftest import EAGER, SECRET
from tests.connectors.server import Reply, Request, Script, Scripted, collection, fault, serving

ASKED = Asked("УТ", "Catalog_X")
OK = collection([])


def transport(server: Scripted, **settings: object) -> Transport:
    """A transport to that server; what it sleeps is counted in ``slept``."""
    given: dict[str, object] = {"user": "Обмен", "password": SECRET, "patience": EAGER, "timeout": 5.0}
    return Transport(OneCSettings("ut", server.url, **(given | settings)), lambda _: None)  # type: ignore[arg-type]


def in_turn(*replies: Reply) -> Script:
    """These answers one after another, the last one for ever."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def test_the_login_travels_as_utf8() -> None:
    """A Cyrillic user and password are base64 of UTF-8, as 1C wants them, and stand in no other header."""
    with serving(lambda r: OK) as server:
        transport(server).get(f"{server.url}/odata/standard.odata/", ASKED)
        [request] = server.requests
    kind, _, login = request.headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(login).decode("utf-8")) == ("Basic", f"Обмен:{SECRET}")
    assert "accept-encoding" not in request.headers or "gzip" not in request.headers["accept-encoding"]


def test_without_a_user_there_is_no_login() -> None:
    """A base without users gets no header at all."""
    with serving(lambda r: OK) as server:
        transport(server, user="").get(f"{server.url}/x", ASKED)
        assert "authorization" not in server.requests[0].headers


def test_compression_is_asked_for_across_a_wire_only() -> None:
    """Gzip saves time on a network and costs it on loopback."""
    settings = OneCSettings("ut", "http://server/b")
    assert _headers(settings, "server")["Accept-Encoding"] == "gzip"
    assert "Accept-Encoding" not in _headers(settings, "127.0.0.1")


def test_a_packed_answer_is_unpacked_and_counted_as_it_travelled() -> None:
    """The body is whole, the traffic is what crossed the wire, and the limit is held against the whole."""
    body = b'{"value": []}' + b" " * 100_000
    packed = Reply(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    with serving(lambda r: packed) as server:
        sender = transport(server)
        assert sender.get(f"{server.url}/x", ASKED, limit=200_000).body == body
        assert 0 < sender.traffic.bytes_read < 1000
        with pytest.raises(TooBig):
            sender.get(f"{server.url}/x", ASKED, limit=50_000)


def test_an_answer_that_is_too_big_costs_no_connection() -> None:
    """After giving a body up the next request gets through, again and again."""
    with serving(lambda r: Reply(body=b"x" * 5000)) as server:
        sender = transport(server, max_sessions=1)
        for _ in range(3):
            with pytest.raises(TooBig):
                sender.get(f"{server.url}/x", ASKED, limit=1000)
        assert len(sender.get(f"{server.url}/x", ASKED).body) == 5000


@pytest.mark.parametrize("status", [406, 502, 503, 504])
def test_passing_faults_of_reading_are_met_with_patience(status: int) -> None:
    """Two refusals, then the answer: the caller sees only the answer."""
    with serving(in_turn(Reply(status), Reply(status), OK)) as server:
        sender = transport(server)
        assert sender.get(f"{server.url}/x", ASKED).status == 200
        assert (sender.traffic.requests, sender.traffic.retries) == (3, 2)


def test_a_dropped_connection_is_tried_again() -> None:
    """A connection that closes without a word, and one that breaks off in the middle, cost one more try each."""
    whole = collection([{"Ref_Key": "1"}])
    with serving(in_turn(Reply(cut=-1), Reply(body=whole.body, cut=5), whole)) as server:
        assert transport(server).get(f"{server.url}/x", ASKED).body == whole.body


def test_patience_ends() -> None:
    """After the tries that the settings allow the fault comes out, with its own code."""
    with serving(lambda r: Reply(503)) as server:
        sender = transport(server, patience=Patience(retries=2, first=0.0))
        with pytest.raises(RetryLater) as error:
            sender.get(f"{server.url}/x", ASKED)
        assert (error.value.code, len(server.requests)) == ("source_busy", 3)


PAGE = Reply(200, b"<html><title>IIS</title><body>Service is starting</body></html>", "text/html")
FAILED = Reply(500, b"<html><body>Internal Server Error</body></html>", "text/html")
SIGN_IN = Reply(200, "<html><body>Идентификация пользователя не выполнена</body></html>".encode(), "text/html")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (PAGE, "html_page"),
        (FAILED, "source_failed"),
        (Reply(500), "source_failed"),
        (fault(500, "-1", "Не обнаружено свободной лицензии!"), "no_licence"),
        (fault(400, "-1", "Начало сеанса с информационной базой запрещено."), "base_locked"),
    ],
)
def test_a_page_or_a_failure_in_place_of_an_answer_is_met_with_patience(reply: Reply, code: str) -> None:
    """A web page with a good status, a 500 without 1C's word: two of them are not seen, a lasting one is told."""
    with serving(in_turn(reply, reply, OK)) as server:
        sender = transport(server)
        assert sender.get(f"{server.url}/x", ASKED).body == OK.body
        assert (sender.traffic.requests, sender.traffic.retries) == (3, 2)
        assert sender.traffic.writes == 0
    with serving(lambda r: reply) as server:
        with pytest.raises(HubError) as error:
            transport(server).get(f"{server.url}/x", ASKED)
        assert (error.value.code, len(server.requests)) == (code, EAGER.retries + 1)


def test_a_document_behind_a_page_is_waited_for() -> None:
    """A big document is asked for again too, and nothing of the page stays in the file."""
    with serving(in_turn(PAGE, FAILED, Reply(body=b"<Edmx/>", kind="application/xml"))) as server:
        target = io.BytesIO()
        transport(server).download(f"{server.url}/$metadata", ASKED, target)
    assert target.getvalue() == b"<Edmx/>"


def test_a_selection_is_repeated_and_a_writing_post_is_not() -> None:
    """A POST that writes nothing is a reading request; one that writes is sent once, page or failure."""
    for reply in (PAGE, FAILED):
        with serving(in_turn(reply, OK)) as server:
            assert transport(server).post(f"{server.url}/x", ASKED, "*/*", writes=False).body == OK.body
    with serving(in_turn(FAILED, OK)) as server:
        with pytest.raises(RetryLater):
            transport(server).post(f"{server.url}/x", ASKED, "*/*", writes=True)
        assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_an_answer_called_a_page_is_not_one(kind: str) -> None:
    """Some web servers call 1C's right answers HTML: what the body is decides."""
    for body in (OK.body, b"1103"):
        with serving(lambda r, body=body: Reply(body=body, kind=kind)) as server:  # type: ignore[misc]
            assert transport(server).get(f"{server.url}/x", ASKED).body == body
            assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply", [SIGN_IN, fault(400, "6", "Сегмент пути X не найден!"), fault(500, "-1", "Ошибка"), Reply(401)]
)
def test_lasting_faults_are_not_repeated(reply: Reply) -> None:
    """What will not pass by waiting is told at once."""
    with serving(lambda r: reply) as server:
        with pytest.raises(HubError):
            transport(server).get(f"{server.url}/x", ASKED)
        assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [Reply(503), Reply(500), Reply(cut=-1), Reply(406)])
def test_a_post_is_never_sent_twice(reply: Reply) -> None:
    """Whatever happens to a POST, it is the caller who looks before anything is repeated."""
    with serving(lambda r: reply) as server:
        sender = transport(server)
        with pytest.raises(RetryLater):
            sender.post(f"{server.url}/x", ASKED, "*/*", writes=True)
        assert len(server.requests) == 1
        assert sender.traffic.writes == 1


def test_pauses_double_and_heed_the_server() -> None:
    """Half a second, one, two …, at most what is set; a server that names a time is given it."""
    patience = Patience(first=0.5, longest=3.0)
    assert [patience.pause(n, None) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 3.0]
    assert patience.pause(1, 2.5) == 2.5
    assert patience.pause(1, 999.0) == 3.0
    assert web.retry_after({"retry-after": "7"}) == 7.0
    dated = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "retry-after": "Thu, 01 Jan 2026 00:00:05 GMT"}
    assert web.retry_after(dated) == 5.0
    assert web.retry_after({"retry-after": "soon"}) is None


def test_the_wait_between_tries_is_the_one_the_server_asked_for() -> None:
    """``Retry-After`` of the answer reaches the sleep."""
    slept: list[float] = []
    with serving(in_turn(Reply(503, headers={"Retry-After": "4"}), OK)) as server:
        Transport(OneCSettings("ut", server.url), slept.append).get(f"{server.url}/x", ASKED)
    assert slept == [4.0]


def sessions(log: list[str]) -> Script:
    """A publication that gives sessions by cookie: 400 for a cookie it does not know, as 1C answers."""
    known: set[str] = set()

    def answer(request: Request) -> Reply:
        asked, cookie = request.headers.get("ibsession", ""), request.headers.get("cookie", "")
        log.append(asked or cookie)
        if cookie and cookie not in known:
            return Reply(400, b"<html>session</html>", "text/html")
        if asked == "finish":
            known.discard(cookie)
        if asked != "start":
            return OK
        known.add(f"ibsession={len(log)}")
        return Reply(body=OK.body, headers={"Set-Cookie": f"ibsession={len(log)}; path=/"})

    return answer


def test_a_session_is_kept_and_given_back() -> None:
    """One 1C session serves all requests of a lane; closing ends it, so its licence is free at once."""
    log: list[str] = []
    with serving(sessions(log)) as server:
        sender = transport(server, max_sessions=1)
        for _ in range(3):
            sender.get(f"{server.url}/x", ASKED)
        sender.close()
        sender.close()
    assert log == ["start", "ibsession=1", "ibsession=1", "finish"]


def test_a_session_that_1c_has_ended_is_begun_anew() -> None:
    """1C answers 400 to an expired cookie: the request is sent again with a new session, unseen by the caller."""
    log: list[str] = []
    with serving(sessions(log)) as server:
        sender = transport(server, max_sessions=1)
        sender.get(f"{server.url}/x", ASKED)
        server.becomes(sessions(log))
        assert sender.get(f"{server.url}/x", ASKED).status == 200
    assert log == ["start", "ibsession=1", "start"]


def test_a_cookie_that_cannot_be_read_is_left_out() -> None:
    """A strange cookie of a load balancer stops nothing; a server that is gone at the end does not either."""
    strange = Reply(body=OK.body, headers={"Set-Cookie": "ibsession=5; path=/, ;=;"})
    with serving(lambda r: strange) as server:
        sender = transport(server, max_sessions=1)
        sender.get(f"{server.url}/x", ASKED)
        assert sender.get(f"{server.url}/x", ASKED).status == 200
    sender.close()


def test_a_refused_request_does_not_end_a_session() -> None:
    """A 400 with 1C's own error is about the request: it is told, not repeated, and the session stays."""
    replies = in_turn(Reply(body=OK.body, headers={"Set-Cookie": "ibsession=7"}), fault(400, "14", "Ошибка"), OK)
    with serving(replies) as server:
        sender = transport(server, max_sessions=1)
        sender.get(f"{server.url}/x", ASKED)
        with pytest.raises(HubError):
            sender.get(f"{server.url}/x", ASKED)
        sender.get(f"{server.url}/x", ASKED)
        assert [r.headers.get("cookie") for r in server.requests] == [None, "ibsession=7", "ibsession=7"]


def test_no_more_requests_are_under_way_than_sessions_are_allowed() -> None:
    """Eight threads, two sessions: the server never sees more than two at once, and all get their answer."""
    under_way, most, lock = [0], [0], threading.Lock()

    def answer(request: Request) -> Reply:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return OK

    with serving(answer) as server:
        sender = transport(server, max_sessions=2)
        done: list[int] = []
        work = [
            threading.Thread(target=lambda: done.append(sender.get(f"{server.url}/x", ASKED).status)) for _ in range(8)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(10)
    assert (done, most) == ([200] * 8, [2])


def test_connections_are_kept_alive() -> None:
    """Ten requests in a row come over one connection."""
    ports: set[int] = set()
    with serving(lambda r: OK) as server:
        accept = server._server.get_request

        def counted() -> object:
            connection, address = accept()
            ports.add(address[1])
            return connection, address

        server._server.get_request = counted  # type: ignore[method-assign,assignment]
        sender = transport(server)
        for _ in range(10):
            sender.get(f"{server.url}/x", ASKED)
    assert len(ports) == 1


def _slow(seconds: float) -> Script:
    def answer(request: Request) -> Reply:
        time.sleep(seconds)
        return OK

    return answer


def test_a_base_that_has_to_start_is_given_time() -> None:
    """The first request may take longer than any other; so may the first after a pause that ended 1C's session."""
    with serving(_slow(0.3)) as server:
        sender = transport(server, timeout=0.1, first_timeout=5.0)
        first = sender.get(f"{server.url}/x", ASKED)
        assert first.seconds == 0.0
        with pytest.raises(RetryLater) as error:
            sender.get(f"{server.url}/x", ASKED)
        assert (error.value.code, error.value.params["seconds"]) == ("source_timeout", 0)
        sender._heard = time.monotonic() - IDLE - 1
        assert sender.get(f"{server.url}/x", ASKED).status == 200


def test_the_first_request_is_given_a_minute_more_unless_told_otherwise() -> None:
    """Never less than the others: a shorter ``first_timeout`` than ``timeout`` would be a mistake."""
    with serving(lambda r: OK) as server:
        patience = [transport(server, timeout=20.0, first_timeout=first)._cold_patience for first in (None, 35.0, 10.0)]
    assert patience == [80.0, 35.0, 20.0]


def test_an_answer_tells_how_long_it_took() -> None:
    """But for the first one, whose time says nothing about what was asked for."""
    with serving(_slow(0.05)) as server:
        sender = transport(server)
        took = [sender.get(f"{server.url}/x", ASKED).seconds for _ in range(3)]
    assert took[0] == 0.0
    assert min(took[1:]) >= 0.05


def test_a_big_document_is_streamed_into_a_file_and_begun_anew_after_a_break() -> None:
    """A download that breaks off leaves nothing of its first try behind."""
    whole = Reply(body=b"<x>" + b"y" * 500_000 + b"</x>", kind="application/xml")
    target = io.BytesIO()
    with serving(in_turn(Reply(body=whole.body, kind="application/xml", cut=300_000), whole)) as server:
        answer = transport(server).download(f"{server.url}/$metadata", ASKED, target)
    assert target.getvalue() == whole.body
    assert whole.body.startswith(answer.body)
    assert len(answer.body) <= 4096


def test_requests_go_through_the_proxy_with_its_own_login() -> None:
    """The proxy gets the whole address and its login; the base's login is another header."""
    with serving(lambda r: OK) as proxy:
        address = proxy.url.removesuffix("/base").replace("//", "//прокси:п%40роль@")
        settings = OneCSettings("ut", "http://base.test/b", "Обмен", SECRET, proxy=address)
        Transport(settings).get("http://base.test/b/x", ASKED)
        [request] = proxy.requests
    assert request.raw == "http://base.test/b/x"
    login = base64.b64decode(request.headers["proxy-authorization"].split()[1]).decode()
    assert login == "прокси:п@роль"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, made for this run."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("openssl is not installed: a company's own certificate authority is not tested")
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    subprocess.run([tool, "req", "-x509", *made, *names, *files], check=True, capture_output=True, timeout=30)
    return folder


def test_a_certificate_is_believed_only_if_it_is_vouched_for(certificate: Path) -> None:
    """The company's own authority is believed where it is named, nobody is by default, and checking can be left off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    with serving(lambda r: OK, context) as server:
        with pytest.raises(StopSystem) as error:
            transport(server).get(f"{server.url}/x", ASKED)
        assert error.value.code == "tls_invalid"
        assert "self-signed" in error.value.params["reason"]
        assert transport(server, verify=str(certificate / "ca.pem")).get(f"{server.url}/x", ASKED).status == 200
        assert transport(server, verify=False).get(f"{server.url}/x", ASKED).status == 200


class _Tunnel(socketserver.BaseRequestHandler):
    """A proxy for https: opens a way to where it is asked to, and passes bytes on both ways."""

    asked: ClassVar[list[str]] = []
    refuse: ClassVar[bool] = False

    def handle(self) -> None:
        """One tunnel."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.request.recv(1)
        self.asked.append(head.decode())
        if self.refuse:
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = head.split()[1].decode().partition(":")
        with socket.create_connection((host, int(port)), 5) as target:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            ways = {self.request: target, target: self.request}
            while True:
                for ready in select.select(list(ways), [], [], 5)[0] or [None]:
                    data = ready.recv(65536) if ready else b""
                    if not data:
                        return
                    ways[ready].sendall(data)


@pytest.mark.parametrize("refuse", [False, True])
def test_a_base_over_https_is_reached_through_the_proxy(certificate: Path, refuse: bool) -> None:
    """By a tunnel, with the company's own authority checked at its far end; a proxy that wants a login is told as such.

    The proxy sees neither the address within the base nor its password.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    asked: list[str] = []
    tunnel = type("Tunnel", (_Tunnel,), {"asked": asked, "refuse": refuse})
    with serving(lambda r: OK, context) as server, socketserver.ThreadingTCPServer(("127.0.0.1", 0), tunnel) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{proxy.server_address[1]}"
        sender = transport(server, verify=str(certificate / "ca.pem"), proxy=address, patience=Patience(retries=0))
        try:
            if refuse:
                with pytest.raises(RetryLater) as error:
                    sender.get(f"{server.url}/x", ASKED)
                assert error.value.code == "proxy_unreachable"
            else:
                assert sender.get(f"{server.url}/x", ASKED).status == 200
        finally:
            sender.close()
            proxy.shutdown()
            thread.join(5)
    assert asked[0].startswith("CONNECT 127.0.0.1:")
    assert "Authorization" not in asked[0]
    assert len(server.requests) == (0 if refuse else 1)

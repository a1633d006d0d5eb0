"""Sessions: reuse, cookies, the pool, licences, cold starts, and what a test can read of it."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from stand.onec.quirks import Quirks
from stand.onec.server import OneCStand
from stand.onec.sessions import Refused, Sessions
from tests.stand.client import Client

PARTIES = "Catalog_Контрагенты"
ASK = f"{PARTIES}?$format=json&$top=1"


def _together(stand: OneCStand, count: int) -> list[int]:
    """Statuses of that many requests sent at once."""
    statuses: list[int] = []

    def ask() -> None:
        with Client(stand) as client:
            statuses.append(client.get(ASK).status)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return sorted(statuses)


def test_autouse_gives_a_session_that_is_free(stand: OneCStand, own: Client) -> None:
    """One after the other share one session and get no cookie, not even for IBSession: start."""
    for _ in range(3):
        assert "set-cookie" not in own.get(ASK, IBSession="start").headers
    state = stand.sessions.state()
    assert (state["open"], state["started"], state["most_open"], state["busy"]) == (1, 1, 1, 0)


def test_requests_at_once_open_sessions(stand: OneCStand) -> None:
    """Three at once are three sessions and three licences; the stand remembers the most there ever were."""
    stand.quirks.latency = 0.3
    assert _together(stand, 3) == [200] * 3
    state = stand.sessions.state()
    assert (state["most_open"], state["most_busy"], state["most_at_once"]) == (3, 3, 3)
    assert (state["open"], state["busy"], state["at_once"]) == (3, 0, 0)
    stand.sessions.clear()
    assert stand.sessions.state()["most_busy"] == 0


def test_a_pool_that_is_exhausted(stand: OneCStand) -> None:
    """With two sessions and no patience the third is 406 and counted; with patience it waits and passes."""
    stand.quirks.update({"latency": 0.3, "pool_size": 2, "pool_timeout": 0.0})
    assert _together(stand, 3) == [200, 200, 406]
    assert stand.sessions.state()["refused"] == 1
    stand.quirks.pool_timeout = 10.0
    assert _together(stand, 5) == [200] * 5
    assert stand.sessions.state()["most_open"] == 2


def test_a_cookie_is_a_session(stand: OneCStand, own: Client) -> None:
    """use: start gives a cookie, the cookie the same session, finish ends it, and then the cookie is unknown: 400."""
    stand.quirks.reuse_sessions = "use"
    cookie = own.get(ASK, IBSession="start").headers["set-cookie"].partition(";")[0]
    assert cookie.startswith("ibsession=")
    for _ in range(3):
        assert own.get(ASK, Cookie=cookie).status == 200
    assert (stand.sessions.state()["started"], stand.sessions.state()["open"]) == (1, 1)
    assert own.get(ASK, Cookie=cookie, IBSession="finish").status == 200
    assert stand.sessions.state()["open"] == 0
    assert own.get(ASK, Cookie=cookie).status == 400
    assert own.get(ASK, Cookie="other=1; ibsession=чужая".encode().decode("latin-1")).status == 400


def test_without_the_header_every_request_starts_a_session(stand: OneCStand, own: Client) -> None:
    """Mode use without IBSession, and dontuse: each request has its own session, and none is left."""
    for mode in ("use", "dontuse"):
        stand.sessions.clear()
        stand.quirks.reuse_sessions = mode
        for _ in range(3):
            assert own.get(ASK).status == 200
        state = stand.sessions.state()
        assert (state["started"], state["open"], state["most_open"]) == (3, 0, 1)


def test_a_session_ends_when_nobody_asks(stand: OneCStand, own: Client) -> None:
    """After session_max_age the cookie is unknown and the licence free."""
    stand.quirks.update({"reuse_sessions": "use", "session_max_age": 0.1})
    cookie = own.get(ASK, IBSession="start").headers["set-cookie"].partition(";")[0]
    time.sleep(0.2)
    assert own.get(ASK, Cookie=cookie).status == 400
    assert stand.sessions.state()["open"] == 0


def test_a_restart_loses_sessions(stand: OneCStand, own: Client) -> None:
    """The cookie from before the restart is unknown after it."""
    stand.quirks.reuse_sessions = "use"
    cookie = own.get(ASK, IBSession="start").headers["set-cookie"].partition(";")[0]
    stand.restart(0.0)
    assert own.get(ASK, Cookie=cookie).status == 400


def test_licences_run_out(stand: OneCStand) -> None:
    """Two licences: the third session is refused with the application server's body, not with 406."""
    stand.quirks.update({"latency": 0.3, "licences": 2})
    assert _together(stand, 3) == [200, 200, 500]
    assert stand.sessions.state()["most_open"] == 2


def test_a_cold_base_is_slow_once() -> None:
    """Cold is the first call and one after a long silence; a call right behind it is not."""
    quirks = Quirks(session_max_age=0.1)
    sessions = Sessions(quirks)
    cold = []
    for wait in (0.0, 0.0, 0.2):
        time.sleep(wait)
        session = sessions.enter("кто", {})
        cold.append(session.cold)
        sessions.leave(session, {})
    assert cold == [True, False, True]


def test_one_session_serves_one_request_at_a_time() -> None:
    """A cookie whose session is busy waits for it and gets 406 when that takes too long."""
    sessions = Sessions(Quirks(reuse_sessions="use", pool_timeout=0.0))
    session = sessions.enter("кто", {"ibsession": "start"})
    with pytest.raises(Refused) as refused:
        sessions.enter("кто", {"cookie": f"ibsession={session.id}"})
    assert refused.value.status == 406
    sessions.leave(session, {})
    assert sessions.enter("кто", {"cookie": f"ibsession={session.id}"}).id == session.id


def test_delays_are_those_of_the_switches(stand: OneCStand, own: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cold call, a new session and a balance each add their own seconds to an answer, and nothing else does."""
    slept: list[float] = []
    clock = SimpleNamespace(sleep=slept.append, monotonic=time.monotonic)
    monkeypatch.setattr("stand.onec.service.time", clock)
    stand.quirks.update({"slow_first": 30.0, "slow_virtual": 12.0, "session_start": 0.3, "latency": 0.1})
    for path in ("Catalog_Валюты?$top=1", "Catalog_Валюты?$top=1", "AccumulationRegister_ТоварыНаСкладах/Balance"):
        assert own.get(path).status == 200
    assert slept == pytest.approx([30.4, 0.1, 12.1])

"""Subscribers both ways with a real Mailman: who consents is subscribed once, who leaves has left for good."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Change
from hub.exchange.check import check_system
from hub.exchange.merging.merge import Asked, merge
from hub.exchange.plan.make import make_plan
from hub.exchange.service import run_exchange
from hub.model.settings import RouteSettings
from hub.store import core
from hub.store.database import Store
from tests.connectors.mailing.mailman import MailmanServer
from tests.connectors.mailing.opening import on_mailman
from tests.connectors.mailing.world import WRITES, Firm, email, make_firm

CHILD = "tests.connectors.mailing.child"
Make = Callable[..., Firm]


@pytest.fixture
def make(store: Store, tmp_path: Path, mailman: MailmanServer, profiles: Path) -> Iterator[Make]:
    """Make a firm with a list of its own."""
    opened: list[Any] = []

    def build(routes: dict[str, RouteSettings] | None = None) -> Firm:
        list_id = mailman.list()
        connector = on_mailman(mailman.url, list_id)
        firm = make_firm(store, tmp_path, mailman, connector, list_id, routes)
        opened.extend((connector, firm.hub))
        return firm

    yield build
    for one in reversed(opened):
        one.close()


def test_consenting_clients_of_a_segment_are_subscribed_once(make: Make) -> None:
    """All addresses of theirs, and nobody else's; a second night sends nothing and changes nothing."""
    firm = make()
    anna, work, boris, others = email(), email(), email(), [email() for _ in range(4)]
    firm.client("Анна", anna, work)
    firm.client("Борис", boris)
    firm.client("Опт", others[0], segment="Опт")
    firm.client("Отказ", others[1], consent=False)
    firm.client("Молчит", others[2], consent=None)
    firm.client("Наш", others[3], role="employee")
    firm.client("Без почты", "не адрес")
    report = firm.night()
    assert firm.members == {anna, work, boris}
    assert firm.sent(report) == {"confirmed": 3}
    again = firm.night()
    assert firm.sent(again) == {}
    (read,) = (one.counters for one in again.routes if one.route == "mm.subscription")
    assert (read.received, read.unchanged) == (3, 3)
    firm.client("Вера", boris)
    assert firm.sent(firm.night()) == {}
    assert set(firm.known().values()) == {"subscribed"}


def test_409_is_no_error_when_somebody_subscribes_meanwhile(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our reading and our writing the client subscribes himself: one record, confirmed, nothing fails."""
    firm = make()
    firm.night()
    anna = email()
    firm.client("Анна", anna)
    connector = firm.hub.connector("mm")
    write = connector.write

    def meanwhile(stream: str, changes: list[Change]) -> Any:
        firm.server.subscribe(firm.list_id, anna)
        return write(stream, changes)

    monkeypatch.setattr(connector, "write", meanwhile)
    assert firm.sent(firm.night()) == {"confirmed": 1}
    monkeypatch.undo()
    assert (firm.members, firm.known()) == ({anna}, {anna: "subscribed"})


def test_who_is_on_the_list_already_is_not_asked_for(make: Make) -> None:
    """Subscribed by himself before the hub knew the list: read, one record, nothing is sent for him."""
    firm = make()
    anna, stranger = email(), email()
    for one in (anna, stranger):
        firm.server.subscribe(firm.list_id, one)
    firm.client("Анна", anna)
    assert firm.sent(firm.night()) == {}
    assert firm.known() == {anna: "subscribed", stranger: "subscribed"}


def test_unsubscribe_wins_and_is_never_overwritten(make: Make) -> None:
    """Who leaves at the service is unsubscribed here, and stays so whatever is edited, read again or sent."""
    firm = make()
    anna, boris = email(), email()
    firm.client("Анна", anna)
    firm.client("Борис", boris)
    firm.night()
    firm.server.unsubscribe(firm.list_id, anna)
    report = firm.night()
    assert (firm.known()[anna], firm.sent(report)) == ("unsubscribed", {})
    firm.client("Анна", anna, segment="Опт")
    firm.night()
    firm.client("Анна", anna)
    firm.night()
    firm.client("Анна", anna, consent=False)
    firm.night()
    firm.client("Анна", anna)
    firm.night()
    assert firm.members == {boris}
    assert firm.known() == {anna: "unsubscribed", boris: "subscribed"}


def test_who_comes_back_by_himself_is_back(make: Make) -> None:
    """The service's word holds either way."""
    firm = make()
    anna = email()
    firm.client("Анна", anna)
    firm.night()
    firm.server.unsubscribe(firm.list_id, anna)
    firm.night()
    firm.server.subscribe(firm.list_id, anna)
    firm.night()
    assert (firm.known(), firm.members) == ({anna: "subscribed"}, {anna})


def test_unsubscribe_wins_over_a_merge(make: Make) -> None:
    """Two clients of one person, one of whose addresses left: the merged card subscribes nobody anew."""
    firm = make()
    one, other = email(), email()
    firm.client("Анна", one)
    firm.client("Анна П.", other)
    firm.night()
    firm.server.unsubscribe(firm.list_id, one)
    firm.night()
    merge(firm.hub, Asked("party", firm.party("Анна"), (firm.party("Анна П."),), by="Анна", confirm=True))
    firm.night()
    firm.night()
    assert firm.members == {other}
    assert firm.known() == {one: "unsubscribed", other: "subscribed"}


@pytest.mark.parametrize("leaves", [True, False])
def test_unsubscribe_wins_over_a_crash(make: Make, store: Store, tmp_path: Path, profiles: Path, leaves: bool) -> None:
    """Killed after the service has subscribed somebody and before it was stored. If he leaves before the next night he
    has left; if not, he is on the list once.
    """
    firm = make({})
    anna = email()
    firm.client("Анна", anna)
    firm.night()
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", CHILD, url, firm.server.url, str(tmp_path), str(profiles), firm.list_id]
    child = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    assert firm.members == {anna}
    if leaves:
        firm.server.unsubscribe(firm.list_id, anna)
    after = make_firm(store, tmp_path, firm.server, on_mailman(firm.server.url, firm.list_id), firm.list_id)
    after.client("Анна", anna)
    after.night()
    after.night()
    assert after.members == (set() if leaves else {anna})
    assert after.known() == {anna: "unsubscribed" if leaves else "subscribed"}
    after.hub.close()


def test_unsubscribe_wins_over_a_replay(make: Make) -> None:
    """The hub forgets where reading stands and reads everything anew: who has left has left."""
    firm = make()
    anna = email()
    firm.client("Анна", anna)
    firm.night()
    firm.server.unsubscribe(firm.list_id, anna)
    firm.night()
    with firm.store.begin() as conn:
        conn.execute(core.cursor.delete())
    firm.night()
    firm.night()
    assert (firm.known(), firm.members) == ({anna: "unsubscribed"}, set())


def test_consent_that_is_taken_back_ends_the_subscription(make: Make) -> None:
    """Of those that the hub made, and only where no other client with the address consents."""
    firm = make()
    anna, shared, himself = email(), email(), email()
    firm.server.subscribe(firm.list_id, himself)
    firm.client("Анна", anna)
    firm.client("Борис", shared)
    firm.client("Вера", shared)
    firm.client("Сам", himself)
    firm.night()
    assert firm.members == {anna, shared, himself}
    for name, one in (("Анна", anna), ("Борис", shared), ("Сам", himself)):
        firm.client(name, one, consent=False)
    assert firm.sent(firm.night()) == {"confirmed": 1}
    assert firm.members == {shared, himself}
    assert firm.known() == {anna: "unsubscribed", shared: "subscribed", himself: "subscribed"}
    assert firm.sent(firm.night()) == {}


def test_nothing_is_made_where_the_settings_do_not_say_so(make: Make) -> None:
    """A route that makes no records, a silent run, a list that was not read yet: nobody is subscribed."""
    firm = make({})
    firm.client("Анна", email())
    firm.night()
    assert (firm.members, firm.known()) == (set(), {})
    other = make()
    other.client("Анна", email())
    other.night(silent=True)
    assert (other.members, other.known()) == (set(), {})


def test_a_plan_subscribes_nobody(make: Make) -> None:
    """It shows whom the exchange would subscribe."""
    firm = make()
    firm.client("Анна", email())
    report = make_plan(firm.hub, None)
    assert sum(one.counters.confirmed for one in report.run.pushes) == 1
    assert (firm.members, firm.known()) == (set(), {})


def test_a_ban_fails_one_row_and_no_other(make: Make) -> None:
    """The owner of the list does not want somebody: told with a reason, not tried each night, the others are there."""
    firm = make()
    bad, good = email(), email()
    firm.server.ban(firm.list_id, bad)
    firm.client("Плохой", bad)
    firm.client("Хороший", good)
    assert firm.sent(firm.night()) == {"confirmed": 1, "failed": 1}
    assert firm.members == {good}


def test_a_list_that_went_away_ends_nothing(make: Make) -> None:
    """Deleted at the service: the route stops, and nobody counts as having left."""
    firm = make()
    anna = email()
    firm.client("Анна", anna)
    firm.night()
    firm.server.ask("DELETE", f"/lists/{firm.list_id}")
    report = run_exchange(firm.hub)
    errors = {one.route: one.error.code for one in report.routes if one.error}
    assert errors == {"mm.subscription": "mailing_list_unknown"}
    assert firm.known() == {anna: "subscribed"}


def test_the_check_of_the_installation_covers_a_service(make: Make) -> None:
    """A working service has no problems and no paused mapping."""
    firm = make({"mm.subscription": WRITES})
    result = check_system(firm.hub, "mm")
    assert (result.problems, result.paused, result.mappings) == ([], {}, 1)

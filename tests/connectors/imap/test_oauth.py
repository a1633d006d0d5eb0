"""Access tokens on a real Dovecot, which asks an authority about each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.imap.config import TokenEndpoint
from connectors.imap.connector import Imap
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopSystem
from tests.connectors.imap.boxes import Box, mail, read
from tests.connectors.imap.oauth import OAuth

BOTH = pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])


@pytest.fixture
def authority(oauth: OAuth, on_dovecot: Box) -> Iterator[OAuth]:
    """That knows no token yet, beside a mailbox with one letter."""
    on_dovecot.put(mail("Письмо"))
    oauth.clear()
    yield oauth
    oauth.clear()


def endpoint(oauth: OAuth, **more: Any) -> TokenEndpoint:
    """Where a refresh token is turned into an access token."""
    told: dict[str, Any] = {"refresh": lambda: "refresh-1", "secret": lambda: "секрет", "scope": "mail"}
    return TokenEndpoint(oauth.url, "client-1", **(told | more))


def problem(connector: Imap) -> HubError:
    """The one problem that the check reports."""
    (found,) = connector.check().problems
    assert found.advice("ru")
    assert "token-" not in str(found)
    return found


@BOTH
def test_a_token_by_reference(authority: OAuth, on_dovecot: Box, auth: str) -> None:
    """The access token itself stands where the settings point."""
    authority.good["token-1"] = on_dovecot.user
    assert read(on_dovecot.open(auth=auth, password=lambda: "token-1")).subjects == ["Письмо"]
    assert authority.asked == []


@BOTH
def test_a_refresh_token(authority: OAuth, on_dovecot: Box, auth: str) -> None:
    """The endpoint is asked once, with the refresh token and the client's secret, however often we connect."""
    authority.good["token-1"] = on_dovecot.user
    authority.answers = [(200, {"access_token": "token-1", "expires_in": 3600})]
    connector = on_dovecot.open(auth=auth, tokens=endpoint(authority))
    first = read(connector)
    connector.close()
    assert read(connector, first.position).records == []
    assert authority.asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "client-1",
            "refresh_token": "refresh-1",
            "client_secret": "секрет",
            "scope": "mail",
        }
    ]


def test_an_applications_own_token(authority: OAuth, on_dovecot: Box) -> None:
    """Without a refresh token the application asks for itself (client credentials)."""
    authority.good["token-1"] = on_dovecot.user
    authority.answers = [(200, {"access_token": "token-1"})]
    read(on_dovecot.open(auth="xoauth2", tokens=endpoint(authority, refresh=lambda: "")))
    assert authority.asked[0]["grant_type"] == "client_credentials"


@BOTH
def test_an_expired_token_is_renewed_once(authority: OAuth, on_dovecot: Box, auth: str) -> None:
    """A token that the server does not take any more: one new one, one more login, and it works."""
    authority.good["token-2"] = on_dovecot.user
    authority.answers = [(200, {"access_token": "token-1", "expires_in": 3600}), (200, {"access_token": "token-2"})]
    assert read(on_dovecot.open(auth=auth, tokens=endpoint(authority))).subjects == ["Письмо"]
    assert len(authority.asked) == 2
    assert authority.introspected == ["token-1", "token-2"]


@BOTH
def test_a_bad_token_makes_no_storm(authority: OAuth, on_dovecot: Box, auth: str) -> None:
    """Tokens that the server never takes: two logins and no third, then the system stops with an advice."""
    authority.answers = [(200, {"access_token": f"token-{n}"}) for n in range(9)]
    found = problem(on_dovecot.open(auth=auth, tokens=endpoint(authority)))
    assert isinstance(found, StopSystem)
    assert found.code == "mail_token_refused"
    assert len(authority.introspected) == 2
    assert len(authority.asked) == 2


def test_the_same_token_again_is_not_tried_again(authority: OAuth, on_dovecot: Box) -> None:
    """A reference that still yields the refused token: one login, no second."""
    found = problem(on_dovecot.open(auth="xoauth2", password=lambda: "token-old"))
    assert found.code == "mail_token_refused"
    assert authority.introspected == ["token-old"]


def test_a_token_that_somebody_else_renewed(authority: OAuth, on_dovecot: Box) -> None:
    """The file with the token was written anew meanwhile: it is read again, and works."""
    authority.good["token-new"] = on_dovecot.user
    kept = ["token-old", "token-new"]
    connector = on_dovecot.open(auth="xoauth2", password=lambda: kept.pop(0) if len(kept) > 1 else kept[0])
    assert read(connector).subjects == ["Письмо"]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ((400, {"error": "invalid_grant"}), StopSystem, "mail_token_endpoint"),
        ((200, {"no": "token"}), StopSystem, "mail_token_endpoint"),
        ((200, ["nonsense"]), StopSystem, "mail_token_endpoint"),
        ((503, {}), RetryLater, "mail_token_unreachable"),
        ((429, {}), RetryLater, "mail_token_unreachable"),
    ],
)
def test_an_endpoint_that_gives_none(
    authority: OAuth, on_dovecot: Box, answer: tuple[int, Any], kind: type, code: str
) -> None:
    """A refresh token that was taken back stops the system, one in trouble is waited for; nobody logs in."""
    authority.answers = [answer]
    found = problem(on_dovecot.open(auth="xoauth2", tokens=endpoint(authority)))
    assert isinstance(found, kind)
    assert found.code == code
    assert authority.introspected == []
    assert len(authority.asked) == 1


def test_an_endpoint_without_encryption(authority: OAuth, on_dovecot: Box) -> None:
    """Secrets are not sent over http to another machine."""
    tokens = TokenEndpoint("http://login.firma.example/token", "client-1", refresh=lambda: "refresh-1")
    found = problem(on_dovecot.open(auth="xoauth2", tokens=tokens))
    assert isinstance(found, NeedsPerson)
    assert found.code == "mail_token_url"


def test_no_endpoint_at_the_address(authority: OAuth, on_dovecot: Box) -> None:
    """An endpoint that cannot be reached is waited for."""
    tokens = TokenEndpoint("http://127.0.0.1:9/token", "client-1", refresh=lambda: "refresh-1")
    assert problem(on_dovecot.open(auth="xoauth2", tokens=tokens)).code == "mail_token_unreachable"

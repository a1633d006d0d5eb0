"""Access tokens: out of the settings' reference, or of a token endpoint that is asked as seldom as can be."""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from connectors.imap.config import ImapSettings, TokenEndpoint
from connectors.web import is_loopback
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopSystem

#: A token is not used in the last seconds of its life.
_EARLY = 60.0
#: How long a token lives whose endpoint does not say.
_LIFE = 300.0


class Tokens:
    """The access token of one account; sessions share it."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """A token that should be good: the one that is known, or a new one."""
        if self._settings.tokens is None:
            return self._settings.password()
        with self._lock:
            if not self._token or time.monotonic() >= self._until:
                self._refresh(self._settings.tokens)
            return self._token

    def another(self, refused: str) -> str:
        """Another one in place of a token that was refused; the same where there is no other.

        Several sessions are refused at once: the first of them brings the new token for all.
        """
        if self._settings.tokens is None:
            return self._settings.password()
        with self._lock:
            if self._token == refused:
                self._refresh(self._settings.tokens)
            return self._token

    def _refresh(self, endpoint: TokenEndpoint) -> None:
        told = self._ask(endpoint)
        token = told.get("access_token")
        if not isinstance(token, str) or not token:
            raise self._refused("access_token")
        try:
            life = float(told.get("expires_in") or _LIFE)
        except (TypeError, ValueError):
            life = _LIFE
        self._token, self._until = token, time.monotonic() + max(life - _EARLY, life / 2)

    def _ask(self, endpoint: TokenEndpoint) -> dict[str, Any]:
        parts = urlsplit(endpoint.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise NeedsPerson("mail_token_url", system=self._settings.title)
        refresh, secret = endpoint.refresh(), endpoint.secret()
        form = {
            "grant_type": "refresh_token" if refresh else "client_credentials",
            "client_id": endpoint.client_id,
            "refresh_token": refresh,
            "client_secret": secret,
            "scope": endpoint.scope,
        }
        body = urlencode({name: value for name, value in form.items() if value})
        verify = self._settings.verify
        with urllib3.PoolManager(
            cert_reqs="CERT_NONE" if verify is False else "CERT_REQUIRED",
            ca_certs=verify if isinstance(verify, str) else None,
        ) as pool:
            try:
                answer = pool.request(
                    "POST",
                    endpoint.url,
                    body=body,
                    headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
                    timeout=min(self._settings.timeout, 30.0),
                    retries=False,
                    redirect=False,
                )
            except urllib3.exceptions.HTTPError:
                raise RetryLater("mail_token_unreachable", host=parts.hostname, system=self._settings.title) from None
        if answer.status >= 500 or answer.status == 429:
            raise RetryLater("mail_token_unreachable", host=parts.hostname, system=self._settings.title)
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = None
        if answer.status >= 400 or not isinstance(told, dict):
            raise self._refused(str(told.get("error", "")) if isinstance(told, dict) else "")
        return told

    def _refused(self, said: str) -> HubError:
        return StopSystem("mail_token_endpoint", said=said[:80] or "—", system=self._settings.title)

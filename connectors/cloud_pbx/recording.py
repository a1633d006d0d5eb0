"""Fetching one recording: asked for with the account's keys, followed to where it lies without them.

A link that a service gives out works once or for minutes; it is followed at once and kept nowhere. Wherever an answer
sends us, it must be a named host over TLS, and the keys do not go there.
"""

from __future__ import annotations

from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import urljoin

from connectors.cloud_pbx.asking import Packed
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.config import safe_host
from connectors.cloud_pbx.faults import by_status, decoded, meant
from connectors.cloud_pbx.service import Service
from connectors.onec_odata.answers import Answer
from connectors.recordings import LIMIT, Recording, recording_of
from connectors.web import TooBig
from hub.model.errors import NeedsPerson, RetryLater

_HOPS = 4
_IN_MEMORY = 4 << 20
#: Statuses that say "not yet" of a call that has just ended; only who knows when it ended can tell that from "no more".
_NOT_YET = frozenset({202, 204, 404, 409, 425})
#: What files of sound begin with, whatever type they are declared to be.
_SOUNDS = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"RIFF", b"OggS")
_LINKS = ("link", "url", "record_url", "download_url", "links")


class Fetcher:
    """Fetches recordings of one account."""

    def __init__(self, client: Client, service: Service, limit: int = LIMIT) -> None:
        self._client, self._service, self._title, self._limit = client, service, client.settings.title, limit

    def fetch(self, reference: str) -> IO[bytes]:
        """As ``connectors.recordings.Recorded.fetch_recording`` says."""
        recording = recording_of(reference)
        if self._service.recording is None or recording.provider != self._service.name:
            raise NeedsPerson("recording_gone", system=self._title)
        target = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - handed on
        try:
            self._into(target, self._first(recording))
        except BaseException:
            target.close()
            raise
        target.seek(0)
        return target

    def _first(self, recording: Recording) -> Packed:
        """The request with the account's keys, which go nowhere but to a safe address."""
        assert self._service.recording is not None
        ask = self._service.recording(self._client, recording)
        if ask.path.startswith(("http:", "https:")):
            self._safe(ask.path)
        return self._client.signed(ask)

    def _into(self, target: IO[bytes], request: Packed) -> None:
        for _ in range(_HOPS):
            target.seek(0)
            target.truncate()
            try:
                answer = self._client.download(request, target, self._limit)
            except TooBig:
                raise NeedsPerson("recording_too_big", system=self._title, megabytes=self._limit >> 20) from None
            if answer.status == 200 and answer.kind == "json":
                target.seek(0)
                answer = replace(answer, body=target.read(_IN_MEMORY))
            link = self._link(answer, request)
            if link is None:
                return self._judge(answer, target)
            request = Packed("GET", self._safe(link))
        raise NeedsPerson("recording_unsafe", system=self._title)

    def _safe(self, url: str) -> str:
        if not safe_host(url, self._client.base):
            raise NeedsPerson("recording_unsafe", system=self._title)
        return url

    def _link(self, answer: Answer, request: Packed) -> str | None:
        """Where an answer says that the file lies: by its ``Location`` or in its JSON."""
        if 300 <= answer.status < 400 and answer.headers.get("location"):
            whole = request.path if request.path.startswith("http") else self._client.base + request.path
            return urljoin(whole, answer.headers["location"])
        if answer.status != 200 or answer.kind != "json":
            return None
        found = decoded(answer)
        links = [found.get(name) for name in _LINKS] if isinstance(found, dict) else []
        return next((str(one[0] if isinstance(one, list) else one) for one in links if one), None)

    def _judge(self, answer: Answer, target: IO[bytes]) -> None:
        """Whether what came is a recording; raises what it is instead."""
        empty = answer.status == 200 and not target.seek(0, 2)
        if answer.status in _NOT_YET or empty:
            raise RetryLater("recording_not_ready", system=self._title)
        if answer.status == 410:
            raise NeedsPerson("recording_gone", system=self._title)
        told = (self._title, self._service.title, self._client.keys)
        said = self._service.complaint(answer) if answer.status != 200 or answer.kind == "json" else None
        fault = meant(said, *told) if said is not None else by_status(answer, *told)
        if fault is not None:
            raise fault
        kind = answer.headers.get("content-type", "")
        if not answer.body.startswith(_SOUNDS) and (answer.kind in {"html", "xml", "json"} or kind.startswith("text/")):
            raise NeedsPerson("recording_not_audio", system=self._title)

"""The protocol of the exchange with a site, from the side of 1C: ``checkauth``, ``init``, ``file``, ``import``, …

Answers are lines of text; the first word says how it went.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from stand.onec.calling import Address, Failed

#: How often ``progress`` is believed before the base gives up.
PATIENCE = 1000


@dataclass(slots=True)
class Terms:
    """What ``init`` answered. ``limit``: bytes of a piece, 0 for any; ``version``: of the schema, empty for 2."""

    zipped: bool = False
    limit: int = 0
    version: str = ""


@dataclass(slots=True)
class Site:
    """One site. ``cookie`` and ``session`` are what ``checkauth`` gave and every later call carries."""

    address: Address
    cookie: str = ""
    session: str = ""
    terms: Terms = field(default_factory=Terms)
    asked: list[str] = field(default_factory=list)

    def begin(self, kind: str) -> None:
        """Log in and ask for the terms. ``kind``: ``catalog`` or ``sale``. ``Failed``: no entry."""
        self.cookie = self.session = ""
        word, *lines = self._lines(self.call("GET", kind, "checkauth"))
        if word != "success" or len(lines) < 2:
            raise Failed("\n".join([f"checkauth: {word}", *lines]))
        self.cookie = f"{lines[0]}={lines[1]}"
        self.session = _named(lines[2:]).get("sessid", "")
        told = _named(self._lines(self.call("GET", kind, "init")))
        if "zip" not in told:
            raise Failed(f"init: {told}")
        limit = told.get("file_limit", "0")
        self.terms = Terms(told["zip"] == "yes", int(limit) if limit.isdigit() else 0, told.get("version", ""))

    def send(self, kind: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Hand over files: each in pieces under its own name, or all in one archive where the site wants it."""
        for name, data in [_archive(files)] if self.terms.zipped else files:
            size = self.terms.limit or len(data) or 1
            for start in range(0, len(data), size):
                self._done(self.call("POST", kind, "file", data[start : start + size], filename=name), name)

    def apply(self, kind: str, name: str) -> int:
        """Let the site take in a file; how many times it said ``progress``. ``Failed``: it gave up, or never ends."""
        for times in range(PATIENCE):
            word, *lines = self._lines(self.call("GET", kind, "import", filename=name))
            if word == "success":
                return times
            if word != "progress":
                raise Failed("\n".join([f"{name}: {word}", *lines]))
        raise Failed(f"{name}: progress without end")

    def query(self) -> bytes:
        """The site's orders as XML."""
        answer = self.call("GET", "sale", "query")
        if answer.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"failure"):
            raise Failed("\n".join(self._lines(answer)))
        return answer

    def tell(self, kind: str, mode: str, **more: str) -> None:
        """A call that is answered with success: ``success`` after orders were taken, ``complete`` at the end."""
        self._done(self.call("GET", kind, mode, **more), mode)

    def call(self, method: str, kind: str, mode: str, body: bytes | None = None, /, **more: str) -> bytes:
        """One request; the body of its answer. ``Failed``: any status but 200, or no answer."""
        words = {"type": kind, "mode": mode, **more} | ({"sessid": self.session} if self.session else {})
        query = "&".join(f"{name}={quote(value)}" for name, value in words.items())
        self.asked.append(f"{method} {mode}" + (f" {more['filename']}" if "filename" in more else ""))
        headers = {"Cookie": self.cookie} if self.cookie else {}
        status, data = self.address.call(method, f"{self.address.path or '/'}?{query}", body, headers)
        if status != 200:
            raise Failed(f"{mode}: HTTP {status}")
        return data

    def _lines(self, data: bytes) -> list[str]:
        """Lines of an answer, without a mark at the front; sites answer in UTF-8 or in windows-1251."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1251", "replace")
        return [line.strip() for line in text.strip().splitlines()] or [""]

    def _done(self, data: bytes, about: str) -> None:
        word, *lines = self._lines(data)
        if word != "success":
            raise Failed("\n".join([f"{about}: {word}", *lines]))


def _named(lines: Iterable[str]) -> dict[str, Any]:
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def _archive(files: Iterable[tuple[str, bytes]]) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return "v8_exchange.zip", buffer.getvalue()

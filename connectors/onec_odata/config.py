"""What is needed to talk to one 1C base over OData."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from connectors.web import Patience
from hub.model.errors import NeedsPerson

#: Where every publication keeps its standard interface; an address given without it is completed.
SERVICE = "/odata/standard.odata"


@dataclass(frozen=True, slots=True)
class OneCSettings:
    """One 1C base. ``password`` is kept out of the representation, and nothing else of this package keeps it.

    ``timeout``: seconds to wait for bytes of an answer (``connect``: for the connection). ``max_sessions``: requests
    under way at once; each holds a 1C session and with it a licence. ``verify``: ``True`` for the machine's own
    certificates, a path for the company's own CA, ``False`` to check nothing. ``node``: the exchange plan's node for
    change feeds, by its ``Code``, name or GUID. ``page_bytes`` and ``page_seconds``: what a page of records may weigh
    and take. ``request_days``: how many days of dated records one request covers at most. ``allowed_only``: leave out
    records that the user has no right to, instead of failing on them. ``first_timeout``: as ``timeout``, for a base
    that may have to start first (``None``: a minute more than that). ``timezone``: the zone of the base's dates, by its
    IANA name. ``schema_seconds``: how old a kept ``$metadata`` may be to be believed unread; it may be 17 MB, and a
    base needs half a minute for it.
    """

    code: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    title: str = ""
    max_sessions: int = 2
    page_size: int = 1000
    timeout: float = 180.0
    connect: float = 10.0
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)
    exchange_plan: str = ""
    node: str = ""
    page_bytes: int = 8 << 20
    page_seconds: float = 30.0
    request_days: int = 31
    allowed_only: bool = False
    first_timeout: float | None = None
    patience: Patience = field(default_factory=lambda: Patience(longest=30.0))
    timezone: str = "UTC"
    schema_seconds: float = 0.0

    @property
    def name(self) -> str:
        """What an admin calls this base."""
        return self.title or self.code


def service_root(settings: OneCSettings) -> str:
    """Address of the service without a slash at its end, without a login in it, completed by ``SERVICE``.

    ``NeedsPerson(address_invalid)`` when it is no http(s) address.
    """
    parts = urlsplit(settings.url.strip())
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in {"http", "https"} or not host:
        raise NeedsPerson("address_invalid", system=settings.name)
    name = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/")
    if not path.endswith(SERVICE):
        path += SERVICE
    return urlunsplit((parts.scheme, f"{name}:{port}" if port else name, path, "", ""))

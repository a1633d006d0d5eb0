"""What tests of cloud exchanges share: an account on a fake, with clock and waiting in the hands of the test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.cloud_pbx.config import CloudSettings
from connectors.cloud_pbx.connector import CloudPbx
from connectors.web import Patience
from hub.model.records import Page
from tests.connectors.cloud_pbx.fake import HOOK, NOW, SECRET, USER, FakeCall, FakeCloud, serving
from tests.connectors.cloud_pbx.fake_services import PROTOCOLS

NAMES = tuple(PROTOCOLS)
#: Those whose rows carry an id of the call.
WITH_IDS = ("mango", "megafon", "uis", "novofon", "zadarma", "telphin")
READ = ReadRequest("calls", key=("id",))


@dataclass
class Account:
    """An account on a fake. ``slept``: seconds that the connector asked to wait, none of which pass."""

    cloud: FakeCloud
    now: datetime = NOW
    slept: list[float] = field(default_factory=list)
    opened: list[CloudPbx] = field(default_factory=list)

    def open(self, **more: Any) -> CloudPbx:
        """Another connector to it."""
        told: dict[str, Any] = {
            "url": self.cloud.url,
            "user": "" if self.cloud.service in {"novofon", "uis", "beeline", "megafon"} else USER,
            "password": SECRET,
            "title": "АТС",
            "hook": HOOK,
            "patience": Patience(retries=3, first=1.0, longest=30.0),
            "timeout": 5.0,
        }
        settings = CloudSettings(self.cloud.service, **(told | more))
        made = CloudPbx(settings, "pbx", now=lambda: self.now, sleep=self.slept.append)
        self.opened.append(made)
        return made

    def close(self) -> None:
        """Close the connectors."""
        for one in self.opened:
            one.close()

    def read(self, position: dict[str, Any] | None = None, **more: Any) -> tuple[dict[str, dict[str, Any]], Page]:
        """Calls by id, and the last page."""
        request = ReadRequest("calls", key=("id",), position=position)
        pages = list(self.open(**more).read(request))
        return {record["id"]: record for record in decoded(pages)}, pages[-1]


def account(stack: ExitStack, service: str) -> Account:
    """An account without calls, served until the stack closes."""
    made = Account(stack.enter_context(serving(FakeCloud(service, PROTOCOLS[service]))))
    stack.callback(made.close)
    return made


def some(number: int, *, days: int = 20) -> list[FakeCall]:
    """So many calls, three a day, the newest some days ago; ids are numbers."""
    first = NOW - timedelta(days=days + 3)
    return [
        FakeCall(
            str(1000 + n),
            first + timedelta(days=n // 3, hours=n % 3, minutes=n % 50),
            direction="out" if n % 3 == 1 else "in",
            client=f"+7916{n:07d}",
            agent=str(101 + n % 4),
            wait=3 + n % 9,
            talk=10 + n,
            answered=n % 4 != 0,
        )
        for n in range(number)
    ]


def signed(service: str, call: str, event: str) -> tuple[dict[str, str], bytes]:
    """A notice as the service sends it to an address of ours: headers by lower-case name, and the body."""
    form, headers = dict[str, str](), dict[str, str]()
    if service == "mango":
        told = json.dumps({"entry_id": call, "call_state": event, "from": {"number": "79161234567"}})
        sign = hashlib.sha256(f"{USER}{told}{SECRET}".encode()).hexdigest()
        form = {"vpbx_api_key": USER, "sign": sign, "json": told}
    elif service == "megafon":
        form = {"crm_token": HOOK, "cmd": "event", "type": event, "callid": call, "phone": "79161234567"}
    else:
        form = {"event": event, "caller_id": "+79161234567", "called_did": "1", "call_start": "x", "pbx_call_id": call}
        digest = hmac.new(SECRET.encode(), b"+791612345671x", hashlib.sha1).hexdigest()
        headers = {"signature": base64.b64encode(digest.encode()).decode()}
    return headers, urlencode(form).encode()

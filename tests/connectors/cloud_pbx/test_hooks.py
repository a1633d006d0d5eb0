"""Notices of the services: proven by their signature, hints and nothing more. Bodies are written down here by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest

from connectors.certify.reading import told
from connectors.cloud_pbx.service import HookKeys, Verify
from connectors.cloud_pbx.services import SERVICES
from connectors.notices import Hint
from hub.model.errors import SkipRecord
from hub.model.settings_comms import BY_WORD, NOTIFIERS

KEYS = HookKeys("abc123", "salt456", "crm-word")
MANGO_JSON = '{"entry_id":"e1","call_state":"Connected","seq":2}'
#: sha256sum of key, text and salt.
MANGO_SIGN = "abe076ed943169688d4437521cb203573837aa1b6f561f9829f42c4aabdc2ad4"
MANGO = {"vpbx_api_key": "abc123", "sign": MANGO_SIGN, "json": MANGO_JSON}
MEGAFON = {"crm_token": "crm-word", "cmd": "event", "type": "ACCEPTED", "callid": "c9", "phone": "79161234567"}
ZADARMA = {
    "event": "NOTIFY_END",
    "caller_id": "+79161234567",
    "called_did": "+74951112233",
    "call_start": "2026-11-20 15:00:00",
    "pbx_call_id": "in_7",
}
#: openssl dgst -sha1 -hmac topsecret over the three fields, its hexadecimal text in base64.
ZADARMA_SIGNATURE = "MTdiOTVmNjJkZDZmY2RjMDAyOWEzOTg4YzVjYWQ5OTM1YTdhMGIxNw=="


def verify(service: str) -> Verify:
    found = SERVICES[service].verify
    assert found is not None
    return found


def test_a_signed_notice_is_a_hint() -> None:
    """The call to look at and what happened: no number, no length, nothing that could be taken for the call."""
    assert verify("mango")(KEYS, {}, urlencode(MANGO).encode()) == Hint("mango", "e1", "Connected")
    assert verify("megafon")(KEYS, {}, urlencode(MEGAFON).encode()) == Hint("megafon", "c9", "accepted")
    keys, headers = HookKeys("key", "topsecret"), {"signature": ZADARMA_SIGNATURE}
    assert verify("zadarma")(keys, headers, urlencode(ZADARMA).encode()) == Hint(
        "zadarma", "in_7", "notify_end", over=True
    )


def test_zadarma_signs_other_fields_of_other_notices() -> None:
    """A recording's notice is signed over its two ids, an outgoing call's over extension and number."""
    for fields, signed in (
        ({"event": "NOTIFY_RECORD", "pbx_call_id": "in_7", "call_id_with_rec": "r1"}, "in_7r1"),
        ({"event": "NOTIFY_OUT_END", "internal": "101", "destination": "7916", "call_start": "x"}, "1017916x"),
    ):
        digest = hmac.new(b"topsecret", signed.encode(), hashlib.sha1).hexdigest()
        headers = {"signature": base64.b64encode(digest.encode()).decode()}
        hint = verify("zadarma")(HookKeys("key", "topsecret"), headers, urlencode(fields).encode())
        assert hint.event == fields["event"].lower()


@pytest.mark.parametrize(
    ("service", "keys", "headers", "body"),
    [
        ("mango", KEYS, {}, urlencode({**MANGO, "sign": "0" * 64})),
        ("mango", KEYS, {}, urlencode({**MANGO, "json": MANGO_JSON.replace("e1", "e2")})),
        ("mango", KEYS, {}, urlencode({**MANGO, "vpbx_api_key": "other"})),
        ("mango", KEYS, {}, urlencode(MANGO) + "&json=%7B%7D"),
        ("mango", HookKeys("abc123", ""), {}, urlencode(MANGO)),
        ("mango", KEYS, {}, ""),
        ("megafon", KEYS, {}, urlencode({**MEGAFON, "crm_token": "wrong"})),
        ("megafon", HookKeys("u", "p", ""), {}, urlencode({**MEGAFON, "crm_token": ""})),
        ("zadarma", HookKeys("key", "topsecret"), {"signature": "x"}, urlencode(ZADARMA)),
        ("zadarma", HookKeys("key", "topsecret"), {}, urlencode(ZADARMA)),
        (
            "zadarma",
            HookKeys("key", "topsecret"),
            {"signature": ZADARMA_SIGNATURE},
            urlencode({**ZADARMA, "event": "X"}),
        ),
        ("zadarma", HookKeys("key", ""), {"signature": ZADARMA_SIGNATURE}, urlencode(ZADARMA)),
    ],
)
def test_what_is_not_proven_is_refused(service: str, keys: HookKeys, headers: dict[str, str], body: str) -> None:
    """A wrong or missing signature, another body, a field given twice, no key to compare with: no hint comes of it."""
    with pytest.raises(SkipRecord) as error:
        verify(service)(keys, headers, body.encode())
    assert error.value.code == "cloud_hook_refused"
    assert told(error.value)


def test_services_without_a_proof_have_no_notices() -> None:
    """Where nothing says who sent a notice, none is read."""
    assert tuple(name for name, one in SERVICES.items() if one.verify) == NOTIFIERS
    assert BY_WORD in NOTIFIERS


@pytest.mark.parametrize(
    ("service", "body", "over"),
    [
        ("mango", '{"entry_id":"e1","call_state":"Appeared"}', False),
        ("mango", '{"entry_id":"e1","call_state":"Disconnected"}', True),
        ("mango", '{"entry_id":"e1","entry_result":1}', True),
        ("mango", '{"entry_id":"e1","recording_state":"Completed"}', True),
        ("megafon", {"cmd": "event", "type": "INCOMING"}, False),
        ("megafon", {"cmd": "event", "type": "CANCELLED"}, True),
        ("megafon", {"cmd": "history", "status": "missed"}, True),
        ("zadarma", {"event": "NOTIFY_START"}, False),
        ("zadarma", {"event": "NOTIFY_OUT_END"}, True),
        ("zadarma", {"event": "NOTIFY_RECORD"}, True),
    ],
)
def test_only_what_is_over_is_worth_a_look(service: str, body: str | dict[str, str], over: bool) -> None:
    """Of a call that begins or goes on nothing can be read yet."""
    headers = {}
    if isinstance(body, str):
        sign = hashlib.sha256(f"abc123{body}salt456".encode()).hexdigest()
        body = {"vpbx_api_key": "abc123", "json": body, "sign": sign}
    elif service == "megafon":
        body = {"crm_token": "crm-word", **body}
    else:
        digest = hmac.new(b"salt456", b"", hashlib.sha1).hexdigest()
        headers = {"signature": base64.b64encode(digest.encode()).decode()}
    assert verify(service)(KEYS, headers, urlencode(body).encode()).over is over

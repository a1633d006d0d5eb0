"""Scenarios for SIPp: a telephone that answers, is busy or rings on, and a caller who talks or gives up."""

from __future__ import annotations

_HEAD = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="{name}">\n{body}\n</scenario>\n'
#: Headers that an answer repeats; without the route the BYE would not find the telephone.
_BACK = """[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]U[call_number]
[last_Call-ID:]
[last_CSeq:]
"""
_CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n"
_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=user 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
_EMPTY = "Content-Length: 0\n\n"


def _send(text: str, options: str = "") -> str:
    return f"<send{options}><![CDATA[\n{text}]]></send>"


_RINGS = '<recv request="INVITE" rrs="true"/>\n' + _send(f"SIP/2.0 180 Ringing\n{_BACK}{_CONTACT}{_EMPTY}")

ANSWERS = _HEAD.format(
    name="answers",
    body="\n".join(
        (
            _RINGS,
            '<pause milliseconds="300"/>',
            _send(f"SIP/2.0 200 OK\n{_BACK}{_CONTACT}{_SDP}", ' retrans="500"'),
            '<recv request="ACK"/>\n<recv request="BYE"/>',
            _send(f"SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n{_EMPTY}"),
        )
    ),
)
BUSY = _HEAD.format(
    name="busy",
    body="\n".join((_RINGS, _send(f"SIP/2.0 486 Busy Here\n{_BACK}{_EMPTY}"), '<recv request="ACK"/>')),
)
LETS_RING = _HEAD.format(
    name="rings",
    body="\n".join(
        (
            _RINGS,
            '<recv request="CANCEL"/>',
            _send(f"SIP/2.0 200 OK\n{_BACK}{_EMPTY}"),
            _send("SIP/2.0 487 Request Terminated\n" + _BACK.replace("[last_CSeq:]", "CSeq: 1 INVITE") + _EMPTY),
            '<recv request="ACK"/>',
        )
    ),
)


def _request(method: str, cseq: int, *, to: str = "[peer_tag_param]", routes: str = "", body: str = _EMPTY) -> str:
    where = "sip:[field1]@[remote_ip]:[remote_port]" if method in {"INVITE", "CANCEL"} else "[next_url]"
    branch = "[branch]"
    return (
        f"{method} {where} SIP/2.0\n"
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}\n{routes}"
        "From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]C[call_number]\n"
        f"To: <sip:[field1]@[remote_ip]:[remote_port]>{to}\n"
        f"Call-ID: [call_id]\nCSeq: {cseq} {method}\n"
        "Contact: sip:[field0]@[local_ip]:[local_port]\nMax-Forwards: 70\n"
        f"{body}"
    )


_INVITE = _send(_request("INVITE", 1, to="", body=_SDP), ' retrans="500"')
_PROVISIONAL = '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>'
_ROUTES = "[routes]\n"

_TO = "INVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0"
_END = "Max-Forwards: 70\nContent-Length: 0\n\n]]></send>"
#: What ends an INVITE that was refused, within its own transaction.
_ACK = (
    "<send><![CDATA[\n"
    + _TO.replace("INVITE", "ACK")
    + "\n[last_Via:]\n[last_From:]\n[last_To:]\nCall-ID: [call_id]\nCSeq: 1 ACK\n"
    + _END
)
_CANCEL = (
    '<send retrans="500"><![CDATA[\n'
    + _TO.replace("INVITE", "CANCEL")
    + "\n[last_Via:]\nFrom: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]C[call_number]\n"
    + "To: <sip:[field1]@[remote_ip]:[remote_port]>\nCall-ID: [call_id]\nCSeq: 1 CANCEL\n"
    + _END
)
_TALKS = (
    _INVITE,
    _PROVISIONAL,
    '<recv response="486" optional="true" next="refused"/>',
    '<recv response="200" rrs="true"/>',
    _send(_request("ACK", 1, routes=_ROUTES)),
    '<pause milliseconds="2000"/>',
    _send(_request("BYE", 2, routes=_ROUTES), ' retrans="500"'),
    '<recv response="200" next="over"/>',
    '<label id="refused"/>',
    _ACK,
    '<label id="over"/>',
)
_GIVES_UP = (
    _INVITE,
    '<recv response="100" optional="true"/>\n<recv response="180"/>',
    '<pause milliseconds="1200"/>',
    _CANCEL,
    '<recv response="200"/>\n<recv response="487"/>',
    _ACK,
)
CALLS = _HEAD.format(name="calls", body="\n".join(_TALKS))
CANCELS = _HEAD.format(name="cancels", body="\n".join(_GIVES_UP))

"""How requests are signed, one small function for each way. Sources of the formulas: docs/cloud-telephony.md.

MD5 and SHA-1 are the services' choice, not ours; every request goes over TLS besides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from connectors.cloud_pbx.asking import FORM, Ask, Keys, Packed, Sign, encoded, packed


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def in_header(name: str) -> Sign:
    """The key stands in a header of that name."""
    return lambda keys, ask: packed(ask, {name: keys.password})


def bearer(keys: Keys, ask: Ask) -> Packed:
    """The token that was given for the keys; a request that asks for one has none yet."""
    return packed(ask, {"Authorization": f"Bearer {keys.token}"} if keys.token else None)


def bare(keys: Keys, ask: Ask) -> Packed:
    """Nothing is added."""
    del keys
    return packed(ask)


def mango_sign(key: str, text: str, salt: str) -> str:
    """SHA-256 over key, the exact text of ``json`` and salt."""
    return hashlib.sha256(f"{key}{text}{salt}".encode()).hexdigest()


def mango(keys: Keys, ask: Ask) -> Packed:
    """A form of three fields; what is asked stands in ``json``."""
    text = msgspec.json.encode(ask.params).decode()
    sign = mango_sign(keys.user, text, keys.password)
    form = {"vpbx_api_key": keys.user, "sign": sign, "json": text}
    return Packed("POST", ask.path, encoded(form).encode(), {**ask.headers, **FORM})


def zadarma_signature(secret: str, text: str) -> str:
    """Base64 of the *hexadecimal text* of HMAC-SHA1, as PHP's ``base64_encode(hash_hmac(…))`` gives it."""
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def zadarma(keys: Keys, ask: Ask) -> Packed:
    """``Authorization: key:signature`` over the method's path, its sorted query and the query's MD5."""
    asked = replace(ask, params=dict(sorted({**ask.params, "format": "json"}.items())))
    query = encoded(asked.params)
    signature = zadarma_signature(keys.password, f"{ask.path}{query}{_md5(query)}")
    return packed(asked, {"Authorization": f"{keys.user}:{signature}"})


def sipuni_hash(params: Mapping[str, Any], user: str, secret: str) -> str:
    """MD5 over the values in the alphabetical order of their names, then user and secret, ``+`` between them."""
    return _md5("+".join([*(str(params[name]) for name in sorted(params)), user, secret]))


def sipuni(keys: Keys, ask: Ask) -> Packed:
    """``user`` and ``hash`` are two more fields of the form."""
    params = {**ask.params, "user": keys.user, "hash": sipuni_hash(ask.params, keys.user, keys.password)}
    return packed(replace(ask, params=params))


def json_rpc(keys: Keys, ask: Ask) -> Packed:
    """JSON-RPC 2.0: the method is ``ask.path``, the key one of its parameters, the address always the same."""
    call = {"jsonrpc": "2.0", "id": 1, "method": ask.path, "params": {"access_token": keys.password, **ask.params}}
    return packed(Ask("POST", "", call, as_json=True, headers=ask.headers))

"""Signatures against fixed vectors. They were made with sha256sum, md5sum and openssl from the documented formulas."""

from __future__ import annotations

from urllib.parse import parse_qs

from connectors.cloud_pbx.asking import Ask, Keys
from connectors.cloud_pbx.signing import (
    bearer,
    in_header,
    json_rpc,
    mango,
    mango_sign,
    sipuni,
    sipuni_hash,
    zadarma,
    zadarma_signature,
)

MANGO_TEXT = '{"date_from":"1481630491","date_to":"1481734491"}'
MANGO_SIGN = "63b0c30df9b05ccfdc989d9c58568673e264dc8564dbe8c3f97ec557b4d04d9d"
ZADARMA_QUERY = "end=2026-11-20+23%3A59%3A59&format=json&limit=1000&skip=0&start=2026-11-20+00%3A00%3A00&version=2"
ZADARMA_SIGNATURE = "NGMwNmFiM2M1NjA3OTBiZGU3ODdlMzMxOTIzY2NmNzllNGM1NGE4Yw=="
SIPUNI_HASH = "f2331f47e81adbdb52b7d4e87ecaae53"


def test_mango_signs_the_exact_text() -> None:
    """SHA-256 over key, JSON text, salt; the text that is signed is the text that is sent."""
    assert mango_sign("abc123", MANGO_TEXT, "salt456") == MANGO_SIGN
    asked = Ask("POST", "/stats/request", {"date_from": "1481630491", "date_to": "1481734491"})
    made = mango(Keys("abc123", "salt456"), asked)
    form = {name: found[0] for name, found in parse_qs(made.body.decode()).items()}
    assert form == {"vpbx_api_key": "abc123", "sign": MANGO_SIGN, "json": MANGO_TEXT}
    assert mango_sign("abc123", MANGO_TEXT.replace(",", ", "), "salt456") != MANGO_SIGN


def test_zadarma_signs_method_query_and_its_md5() -> None:
    """Base64 of the hexadecimal text, not of the bytes; parameters sorted, ``format=json`` among them, blanks as +."""
    told = {"start": "2026-11-20 00:00:00", "end": "2026-11-20 23:59:59", "version": 2, "skip": 0, "limit": 1000}
    made = zadarma(Keys("key", "topsecret"), Ask("GET", "/v1/statistics/pbx/", told))
    assert made.path == f"/v1/statistics/pbx/?{ZADARMA_QUERY}"
    assert made.headers["Authorization"] == f"key:{ZADARMA_SIGNATURE}"
    text = f"/v1/statistics/pbx/{ZADARMA_QUERY}e12631c02708415dd330214bba7b06ee"
    assert zadarma_signature("topsecret", text) == ZADARMA_SIGNATURE


def test_sipuni_hashes_values_by_the_alphabet_of_their_names() -> None:
    """MD5 over the values, empty ones too, then user and secret; the order in which they are given does not matter."""
    told = {
        "type": "0", "tree": "", "toNumber": "", "toAnswer": "", "to": "02.11.2026",
        "state": "0", "fromNumber": "", "from": "01.11.2026", "firstTime": "0", "anonymous": "1",
    }  # fmt: skip
    assert sipuni_hash(told, "000123", "0.secret") == SIPUNI_HASH
    assert sipuni_hash({"id": "rec77"}, "000123", "0.secret") == "2fd3cde9dc1fd9700d87d37103a794dd"
    made = sipuni(Keys("000123", "0.secret"), Ask("POST", "/api/statistic/export", told))
    form = {name: found[0] for name, found in parse_qs(made.body.decode(), keep_blank_values=True).items()}
    assert form == {**told, "user": "000123", "hash": SIPUNI_HASH}
    assert b"0.secret" not in made.body


def test_the_other_ways_put_the_key_where_it_belongs() -> None:
    """A header of the service's name, a bearer's token once there is one, a parameter of JSON-RPC."""
    keys = Keys("id", "word", "token")
    assert in_header("X-API-KEY")(keys, Ask("GET", "/x", {"a": "b c"})).headers == {"X-API-KEY": "word"}
    assert bearer(keys, Ask("GET", "/x")).headers == {"Authorization": "Bearer token"}
    assert bearer(Keys("id"), Ask("GET", "/x")).headers == {}
    assert json_rpc(keys, Ask("POST", "get.calls_report", {"limit": 5})).body == (
        b'{"jsonrpc":"2.0","id":1,"method":"get.calls_report","params":{"access_token":"word","limit":5}}'
    )


def test_keys_and_requests_do_not_show_what_they_hold() -> None:
    """Whoever prints one of them sees no key."""
    keys = Keys("id-7", "word-7", "token-7")
    made = mango(keys, Ask("POST", "/stats/request", {}))
    assert not any(secret in repr([keys, made]) for secret in ("id-7", "word-7", "token-7", "sign="))

"""Makers: functions that make whole child rows out of source values (identifiers, contact points, addresses, persons).

Each takes texts (``None`` where empty) and its options, and gives a tuple of rows in the order of its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.model import identity
from hub.model.messengers import messenger_norm
from mappings.contact import parse_address, write_address
from mappings.spec import Maker

Rows = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class MakerKind:
    """``columns``: what its rows fill. ``options``: allowed values by option name; the first one is the default.

    ``back``: source values that may make a row again, the likeliest first, one for each source; who asks proves them by
    making the row. ``None`` where there is no way back.
    """

    name: str
    make: Callable[..., Rows]
    columns: tuple[str, ...]
    sources: tuple[int, int]
    options: Mapping[str, tuple[str, ...]]
    doc: str
    wire: str = "text"
    back: Callable[[Mapping[str, Any]], tuple[tuple[str, ...], ...]] | None = None


def _identifier(scheme: str, value: str | None) -> Rows:
    text = value.strip() if value else ""
    if not text:
        return ()
    if scheme == "registration":
        number = identity.digits(text)
        scheme = {13: "ogrn", 15: "ogrnip"}.get(len(number), "tax_id") if number == text else "tax_id"
    norm = identity.identifier_norm(scheme, text)
    valid = identity.identifier_valid(scheme, norm)
    return ((scheme, text, norm, None if valid is None else int(valid)),)


def _first(values: tuple[str | None, ...]) -> str:
    for value in values:
        if value:
            text = value.strip()
            if text:
                return text
    return ""


def _phone(system: str, *values: str | None) -> Rows:
    text = _first(values)
    return tuple(
        (system, text, phone.norm, phone.ext or None, int(phone.valid)) for phone in identity.parse_phones(text)
    )


def _email(system: str, *values: str | None) -> Rows:
    return tuple(
        (system, raw, norm, None, int(valid)) for raw, norm, valid in identity.parse_emails(_first(values)) if norm
    )


def _point(system: str, *values: str | None) -> Rows:
    text = _first(values)
    norm = messenger_norm(text) if system == "messenger" else text.lower()
    return ((system, text, norm, None, None),) if text else ()


def _address(*values: str | None) -> Rows:
    text, json_text, xml_text = (*values, None, None)[:3]
    found = parse_address(text, json_text, xml_text)
    return () if found is None else (found,)


def _person(value: str | None) -> Rows:
    if not value or not value.strip():
        return ()
    name = identity.split_name(value)
    return ((name.last or None, name.first or None, name.middle or None, name.gender or None),)


def _identifier_back(row: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    return (row.get("value") or "",), (row.get("value_norm") or "",)


def _phone_back(row: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The text as it was written, else the number alone; beside it its digits, by which 1C looks phones up."""
    norm, ext = row.get("value_norm") or "", row.get("ext")
    alone = f"{norm} доб. {ext}" if ext else norm
    return tuple((text, *(identity.digits(norm),) * 3) for text in (row.get("value_raw") or alone, alone))


def _point_back(row: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    return tuple((text,) * 4 for text in (row.get("value_raw") or "", row.get("value_norm") or ""))


def _address_back(row: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    return ((row.get("text") or "", write_address(row), ""),)


_POINT = ("system", "value_raw", "value_norm", "ext", "is_valid")

MAKERS: dict[str, MakerKind] = {
    item.name: item
    for item in (
        MakerKind(
            "identifier",
            _identifier,
            ("scheme", "value", "value_norm", "is_valid"),
            (1, 1),
            {"scheme": ("inn", "kpp", "ogrn", "ogrnip", "okpo", "snils", "tax_id", "code", "registration")},
            "an identifier with its normal form and the verdict on its control digits; `registration` tells ОГРН, "
            "ОГРНИП and foreign numbers apart by their length",
            back=_identifier_back,
        ),
        MakerKind(
            "phone",
            _phone,
            _POINT,
            (1, 4),
            {"system": ("phone", "fax")},
            "phones of a text as E.164 with extension, a row each; the first source that is not empty counts",
            back=_phone_back,
        ),
        MakerKind(
            "email",
            _email,
            _POINT,
            (1, 4),
            {"system": ("email",)},
            "e-mail addresses of a text, a row each",
            back=_point_back,
        ),
        MakerKind(
            "point",
            _point,
            _POINT,
            (1, 4),
            {"system": ("other", "url", "messenger")},
            "any other contact point, as written; of `messenger`, links and prefixes of Telegram and Matrix mean the "
            "name itself",
            back=_point_back,
        ),
        MakerKind(
            "address",
            _address,
            ("text", "country", "region", "city", "street", "house", "postal_code", "fias_id"),
            (1, 3),
            {},
            "an address of 1C's contact information: its text, then its JSON (`Значение`), then its XML "
            "(`ЗначенияПолей`, read only if there is no JSON)",
            back=_address_back,
        ),
        MakerKind(
            "person",
            _person,
            ("last_name", "first_name", "middle_name", "gender"),
            (1, 1),
            {},
            "the parts of a full name, told apart by the patronymic",
        ),
    )
}


def way_back(maker: Maker) -> Callable[[Mapping[str, Any]], tuple[tuple[str, ...], ...]] | None:
    """How a maker's rows are turned back; a code is given by the system that has it, and never told to it."""
    return None if ("scheme", "code") in maker.options else MAKERS[maker.name].back

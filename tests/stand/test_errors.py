"""Error bodies: the codes of the platform's table, in both formats, each with its status."""

from __future__ import annotations

import pytest

from stand.onec.errors import INCOMPARABLE
from tests.stand.client import NS, Client

PARTIES, ORDERS, STOCK = "Catalog_Контрагенты", "Document_ЗаказКлиента", "AccumulationRegister_ТоварыНаСкладах"
KEY = "guid'2cb9e2bb-f3fd-11ef-be3d-0050d57715f1'"
RATES = "InformationRegister_КурсыВалют"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PARTIES}(guid'x')?", 400, 1),
        (f"{RATES}(x)?", 400, 3),
        (f"{PARTIES}?$select=Нет", 400, 6),
        (f"{PARTIES}/Balance?", 400, 6),
        (f"{RATES}(Period=datetime'2026-01-01T00:00:00')?", 400, 7),
        ("Catalog_Нет?", 404, 8),
        (f"{PARTIES}({KEY})?", 404, 9),
        (f"{STOCK}/Balance(Нет=1)?", 400, 12),
        (f"{PARTIES}?$filter=ИНН eq", 400, 14),
        (f"{PARTIES}?$top=1&$top=2", 400, 18),
        (f"{PARTIES}?$filter=Ref_Key gt {KEY}", 500, -1),
    ],
)
def test_codes_in_both_formats(odata: Client, path: str, status: int, code: int) -> None:
    """JSON has the code as a string beside a Russian text, Atom has both as elements; the status is the same."""
    joint = "" if path.endswith("?") else "&"
    found = odata.fail(path.rstrip("?")) if path.endswith("?") else odata.get(f"{path}{joint}$format=json").error
    assert found[:2] == (status, str(code))
    answer = odata.get(path.rstrip("?"))
    assert answer.status == status
    assert answer.xml.tag == f"{{{NS['m']}}}error"
    assert (answer.xml.findtext("m:code", "", NS), answer.xml.findtext("m:message", "", NS)) == (str(code), found[2])
    assert code != -1 or found[2] == INCOMPARABLE


def test_a_method_that_is_not_allowed(odata: Client) -> None:
    """405 with code 19."""
    assert odata.write("DELETE", PARTIES).error[:2] == (405, "19")


def test_a_body_that_is_no_entry(odata: Client) -> None:
    """400 with code 2 for XML that is no entry."""
    answer = odata.send(
        "POST", odata.path + "/Catalog_%D0%92%D0%B0%D0%BB%D1%8E%D1%82%D1%8B", b"<x/>", Accept="application/json"
    )
    assert answer.error[:2] == (400, "2")

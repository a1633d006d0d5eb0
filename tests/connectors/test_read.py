from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from connectors.base import DayTotal, ReadRequest
from connectors.onec_odata.paging import OVERLAP
from hub.model.errors import HubError, RetryLater, StopRoute
from hub.model.records import Page, Window
from tests.connectors.conftest import EAGER, Open
from tests.connectors.server import Reply, Request, Script, collection, fault

WINDOW = Window(date(2024, 1, 1), date(2024, 2, 1))
START, END = "datetime'2024-01-01T00:00:00'", "datetime'2024-02-01T00:00:00'"
MEMORY = fault(500, "-1", "Недостаточно памяти для получения результата запроса к базе данных")


def rows(number: int, weight: int = 0) -> list[dict[str, Any]]:
    """So many records; each weighs at least ``weight``."""
    return [{"Ref_Key": f"{n:05d}", "Code": "x" * weight} for n in range(number)]


def paged(base: list[dict[str, Any]]) -> Script:
    """A set that heeds ``$top`` and ``$skip``."""
    return lambda r: collection(base[r.number("$skip") : r.number("$skip") + r.number("$top")])


def keys(pages: list[Page]) -> list[str]:
    """Keys of all records, in order."""
    return [json.loads(bytes(raw))["Ref_Key"] for page in pages for raw in page.records]


@pytest.mark.parametrize("total", [0, 1, 49, 50, 51, 430, 1000])
def test_a_set_is_read_to_its_end(scripted: Open, total: int) -> None:
    """Every record once, in order, and only the last page says that it is the last."""
    connector, _ = scripted(paged(rows(total)))
    pages = list(connector.read(ReadRequest("Catalog_X")))
    assert keys(pages) == [f"{n:05d}" for n in range(total)]
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert all(page.stream == "Catalog_X" for page in pages)


@pytest.mark.parametrize(
    ("request_", "query"),
    [
        (ReadRequest("Catalog_X", ("Code",)), "$select=Ref_Key,Code&$orderby=Ref_Key"),
        (ReadRequest("Catalog_X"), "$orderby=Ref_Key"),
        (
            ReadRequest("Document_X", ("Ref_Key", "Товары"), window=WINDOW, date_field="Date"),
            f"$select=Ref_Key,Товары&$filter=Date ge {START} and Date lt {END}&$orderby=Date,Ref_Key",
        ),
        (ReadRequest("Document_X_T", key=("Ref_Key", "LineNumber")), "$orderby=Ref_Key,LineNumber"),
        (
            ReadRequest("InformationRegister_X", ("Цена",), ("Period", "Валюта_Key"), date_field="Period"),
            "$select=Period,Валюта_Key,Цена&$orderby=Period,Валюта_Key",
        ),
        (
            ReadRequest("Register_X", key=("Recorder", "Recorder_Type"), window=WINDOW, date_field="Period"),
            f"$filter=RecordSet/any(r: r/Period ge {START} and r/Period lt {END})",
        ),
        (
            ReadRequest("X_RecordType", key=("Recorder_Key", "LineNumber"), window=WINDOW, date_field="Period"),
            f"$filter=Period ge {START} and Period lt {END}",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_set_is_asked_in_its_own_way(scripted: Open, request_: ReadRequest, query: str) -> None:
    """Order by date and full key, only the fields wanted, the window where the kind of set has its date."""
    connector, server = scripted(lambda r: collection([]))
    list(connector.read(request_))
    head = f"{request_.stream}?$format=application/json;odata=nometadata&"
    assert server.requests[0].path == f"{head}{query}&$top=50&$skip=0"


def test_pages_overlap_by_a_few_records(scripted: Open) -> None:
    """Each page begins shortly before the last one ended; nothing of the overlap is delivered twice."""
    connector, server = scripted(paged(rows(1000)))
    assert len(keys(list(connector.read(ReadRequest("Catalog_X"))))) == 1000
    asked = [(r.number("$skip"), r.number("$top")) for r in server.requests]
    assert asked == [(0, 50), (50 - OVERLAP, 400), (440 - OVERLAP, 1000)]


def test_pages_follow_the_weight_of_records(scripted: Open) -> None:
    """Fat records come in small pages, and the next read of the stream begins with what was learned."""
    connector, server = scripted(paged(rows(300, 1000)), page_bytes=100_000)
    list(connector.read(ReadRequest("Catalog_X")))
    assert max(len(collection(rows(r.number("$top"), 1000)).body) for r in server.requests) < 200_000
    before = len(server.requests)
    list(connector.read(ReadRequest("Catalog_X")))
    assert server.requests[before].number("$top") > 50


def test_settings_bound_the_size_of_pages(scripted: Open) -> None:
    """Neither the request's nor the settings' limit is ever passed."""
    connector, server = scripted(paged(rows(100)), page_size=20)
    list(connector.read(ReadRequest("Catalog_X", page_size=7)))
    list(connector.read(ReadRequest("Catalog_Y", page_size=70)))
    assert max(r.number("$top") for r in server.requests if "_X" in r.path) == 7
    assert max(r.number("$top") for r in server.requests if "_Y" in r.path) == 20


@pytest.mark.parametrize("most", [30, 5, 1])
def test_a_base_out_of_memory_is_asked_for_less(scripted: Open, most: int) -> None:
    """Pages are halved until the base can make them; what failed is asked for again rarely, and nothing is lost."""
    base = paged(rows(120))
    connector, server = scripted(lambda r: MEMORY if r.number("$top") > most else base(r))
    assert len(keys(list(connector.read(ReadRequest("Catalog_X"))))) == 120
    whole = [r.number("$top") for r in server.requests if "$select" not in r.path]
    failed = [top for top in whole if top > most]
    assert failed[0] == 50
    assert len(failed) <= 12


def test_an_answer_too_big_is_asked_for_in_halves(scripted: Open) -> None:
    """A page that passes the limit is dropped on the way and asked for smaller: memory stays bounded."""
    connector, _ = scripted(paged(rows(60, 4000)), page_bytes=10_000)
    pages = list(connector.read(ReadRequest("Catalog_X")))
    assert len(keys(pages)) == 60
    assert max(page.nbytes for page in pages) <= 40_000


def test_a_slow_base_is_asked_for_less_a_few_times(scripted: Open) -> None:
    """A page that takes too long is halved, three times at most: then the fault is told."""
    stuck = RetryLater("source_timeout", system="УТ", seconds=1)
    connector, _ = scripted(paged(rows(10)))
    sizes: list[str] = []

    def get(url: str, *_: Any, **__: Any) -> Any:
        sizes.append(url.partition("$top=")[2].partition("&")[0])
        raise stuck

    connector._transport.get = get  # type: ignore[method-assign]
    with pytest.raises(RetryLater):
        list(connector.read(ReadRequest("Catalog_X")))
    assert sizes == ["50", "25", "12", "6"]


def test_a_page_cut_in_half_is_asked_for_again(scripted: Open) -> None:
    """1C that dies in the middle of a page leaves half a JSON behind a good status: nothing of it is believed."""
    whole, turns = rows(10), iter([True, True, False])
    connector, server = scripted(
        lambda r: Reply(body=collection(whole).body[:60]) if next(turns) else collection(whole)
    )
    assert len(keys(list(connector.read(ReadRequest("Catalog_X"))))) == 10
    assert len(server.requests) == 3


def test_an_address_too_long_for_the_web_server_is_shortened(scripted: Open, caplog: pytest.LogCaptureFixture) -> None:
    """IIS answers 404 to a long query before 1C sees it: the fields are left out of the address, once and for all."""
    base = paged(rows(700))
    page = Reply(404, b"<html><h2>404.15 - Query String Too Long</h2></html>", "text/html")
    connector, server = scripted(lambda r: page if len(r.raw.partition("?")[2]) > 2048 else base(r))
    request = ReadRequest("Document_X", tuple(f"ДополнительныйРеквизитДокумента{n}" for n in range(20)))
    assert len(keys(list(connector.read(request)))) == 700
    assert len(keys(list(connector.read(request)))) == 700
    assert len([r for r in server.requests if "$select" in r.path]) == 1
    assert "maxQueryString" in caplog.text


def test_a_long_address_does_not_hide_what_is_wrong(scripted: Open) -> None:
    """When it fails without the fields too, the failure is told."""
    connector, server = scripted(lambda r: Reply(404, b"<html>no</html>", "text/html"))
    request = ReadRequest("Document_X", tuple(f"ДополнительныйРеквизитДокумента{n}" for n in range(20)))
    with pytest.raises(HubError) as error:
        list(connector.read(request))
    assert (error.value.code, len(server.requests)) == ("not_onec", 2)


def test_a_byte_order_mark_is_no_obstacle(scripted: Open) -> None:
    """Body and count may begin with one."""
    base = collection(rows(3))
    connector, _ = scripted(
        lambda r: Reply(body=b"\xef\xbb\xbf" + (b"3" if "$count" in r.path else base.body), kind="text/plain")
    )
    assert len(keys(list(connector.read(ReadRequest("Catalog_X"))))) == 3
    assert connector.count(ReadRequest("Catalog_X")) == 3


def test_reading_goes_on_from_any_page(scripted: Open) -> None:
    """The position of each page leads another connector to exactly the records after it."""
    base = rows(700)
    pages = list(scripted(paged(base))[0].read(ReadRequest("Catalog_X", page_size=100)))
    for number, page in enumerate(pages):
        position = json.loads(json.dumps(page.position))
        rest = scripted(paged(base))[0].read(ReadRequest("Catalog_X", page_size=100, position=position))
        assert keys(pages[: number + 1]) + keys(list(rest)) == [row["Ref_Key"] for row in base]


def test_closing_a_read_early_holds_nothing(scripted: Open) -> None:
    """Many reads broken off after a page leave the only session free for the next."""
    connector, _ = scripted(paged(rows(500)), max_sessions=1)
    for _ in range(5):
        read = connector.read(ReadRequest("Catalog_X"))
        next(read)
        read.close()  # type: ignore[attr-defined]
    assert len(keys(list(connector.read(ReadRequest("Catalog_X"))))) == 500


def test_nothing_is_asked_before_the_first_page_is_wanted(scripted: Open) -> None:
    """``read`` itself sends nothing."""
    connector, server = scripted(paged(rows(5)))
    connector.read(ReadRequest("Catalog_X"))
    assert server.requests == []


def test_virtual_tables_come_in_one_answer(scripted: Open) -> None:
    """``Balance()`` is asked once, handed on in pages, and cannot be gone on with."""
    connector, server = scripted(lambda r: collection(rows(25)))
    pages = list(connector.read(ReadRequest("AccumulationRegister_X", ("Ref_Key",), table="balance", page_size=10)))
    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert [page.last for page in pages] == [False, False, True]
    assert all(page.position == {} for page in pages)
    [request] = server.requests
    assert request.path == (
        "AccumulationRegister_X/Balance()?$format=application/json;odata=nometadata&$select=Ref_Key"
    )


def test_an_empty_virtual_table_is_one_empty_last_page(scripted: Open) -> None:
    """No stock is an answer, not an error; the stream may be named as ``streams()`` names it."""
    connector, server = scripted(lambda r: collection([]))
    pages = list(connector.read(ReadRequest("InformationRegister_X#slice_last")))
    assert [(len(page.records), page.last) for page in pages] == [(0, True)]
    assert server.requests[0].path.startswith("InformationRegister_X/SliceLast()?")
    assert connector.count(ReadRequest("InformationRegister_X#slice_last")) == 0


def test_an_unknown_virtual_table_is_refused_before_asking(scripted: Open) -> None:
    """A table this connector does not speak is an error of the mapping."""
    connector, server = scripted(lambda r: collection([]))
    with pytest.raises(StopRoute) as error:
        list(connector.read(ReadRequest("X", table="totals")))
    assert (error.value.code, server.requests) == ("unknown_table", [])


def counting(path: Reply, inline: object) -> Script:
    """A base with 7 records that counts by path, or with the page, as it is told to."""

    def answer(request: Request) -> Reply:
        if "/$count" in request.path:
            return path
        more = {} if inline is None else {"odata.count": inline}
        top, skip = request.number("$top"), request.number("$skip")
        return collection(rows(7)[skip : skip + top], **(more if "$inlinecount" in request.path else {}))

    return answer


@pytest.mark.parametrize(
    ("path", "inline"),
    [
        (Reply(body=b"7", kind="text/plain"), None),
        (Reply(body=b"\xef\xbb\xbf7\r\n", kind="text/plain"), None),
        (fault(400, "6", "Сегмент пути $count не найден!"), "7"),
        (Reply(404, b"<html>no</html>", "text/html"), 7),
        (Reply(500, b"<html>1C:Enterprise 8 application error</html>", "text/html"), "7"),
        (Reply(body=b"seven", kind="text/plain"), None),
    ],
)
def test_a_set_is_counted_whatever_the_base_can(scripted: Open, path: Reply, inline: object) -> None:
    """By ``/$count``, by ``odata.count`` (a text or a number), or by reading the keys."""
    connector, server = scripted(counting(path, inline))
    assert connector.count(ReadRequest("Catalog_X", ("Code",))) == 7
    assert connector.count(ReadRequest("Catalog_X", ("Code",))) == 7
    assert all("Code" not in request.path for request in server.requests)
    by_path = [request for request in server.requests if "/$count" in request.path]
    # A failure without 1C's word may pass: it is waited for, once per connector.
    tries = 1 + EAGER.retries if path.status == 500 else 1
    assert len(by_path) == (2 if path.body.endswith((b"7", b"7\r\n")) else tries)


def test_counting_heeds_the_window(scripted: Open) -> None:
    """The count is of what would be read."""
    connector, server = scripted(lambda r: Reply(body=b"3", kind="text/plain"))
    connector.count(ReadRequest("Document_X", window=WINDOW, date_field="Date"))
    assert server.requests[0].path == (
        "Document_X/$count?$filter=Date ge datetime'2024-01-01T00:00:00' and Date lt datetime'2024-02-01T00:00:00'"
    )


@pytest.mark.parametrize("code", ["unknown_set", "auth_failed"])
def test_a_count_does_not_hide_what_is_wrong(scripted: Open, code: str) -> None:
    """A set that is not there, or a wrong password, is no reason to count otherwise."""
    reply = fault(404, "8", "Сущность не найдена") if code == "unknown_set" else Reply(401)
    with pytest.raises(HubError) as error:
        scripted(lambda r: reply)[0].count(ReadRequest("Catalog_X"))
    assert error.value.code == code


def test_days_are_summed_exactly(scripted: Open) -> None:
    """Local days as the base writes them; numbers as written, rounded to hundredths; texts and nulls too."""
    base: list[dict[str, Any]] = [
        {"Ref_Key": "1", "Date": "2024-01-02T00:00:00", "Сумма": 461111.9},
        {"Ref_Key": "2", "Date": "2024-01-02T23:59:59", "Сумма": 0.1},
        {"Ref_Key": "3", "Date": "2024-01-05T12:00:00", "Сумма": "25000"},
        {"Ref_Key": "4", "Date": "2024-01-05T12:00:00", "Сумма": None},
        {"Ref_Key": "5", "Date": "2024-01-07T12:00:00", "Сумма": 0.30000000000000004},
        {"Ref_Key": "6", "Date": "2024-01-07T12:00:01", "Сумма": -0.005},
    ]
    connector, server = scripted(paged(base))
    assert connector.totals("Document_X", "Date", "Сумма", WINDOW) == [
        DayTotal(date(2024, 1, 2), 2, 46111200),
        DayTotal(date(2024, 1, 5), 2, 2500000),
        DayTotal(date(2024, 1, 7), 2, 29),
    ]
    assert "$select=Ref_Key,Date,Сумма&$filter=Date ge " in server.requests[0].path


def test_a_document_is_summed_once(scripted: Open) -> None:
    """A base that shifts while it is summed shows some records twice: each counts once."""
    base = [{"Ref_Key": f"{n}", "Date": "2024-01-02T00:00:00", "Сумма": 1} for n in range(300)]
    turn = iter(range(100))

    def answer(request: Request) -> Reply:
        if next(turn) == 1:
            base[:0] = [{"Ref_Key": f"new{n}", "Date": "2024-01-02T00:00:00", "Сумма": 1} for n in range(200)]
        return paged(base)(request)

    [day] = scripted(answer)[0].totals("Document_X", "Date", "Сумма", WINDOW)
    assert 300 <= day.count <= 500
    assert day.total == day.count * 100


def test_totals_of_records_without_a_date_are_refused(scripted: Open) -> None:
    """A sum over something that is not there would be believed: it is an error instead."""
    with pytest.raises(StopRoute) as error:
        scripted(paged(rows(3)))[0].totals("Document_X", "Date", "Сумма", WINDOW)
    assert error.value.code == "key_missing"

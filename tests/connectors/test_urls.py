from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.onec_odata.config import OneCSettings, service_root
from connectors.onec_odata.urls import between, build, guid, moment, text
from connectors.web import is_loopback
from hub.model.errors import NeedsPerson

ROOT = "http://server/base/odata/standard.odata"
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]))


def root(url: str) -> str:
    """The service root of a base at ``url``."""
    return service_root(OneCSettings("ut", url))


@given(
    st.lists(st.tuples(st.sampled_from(["$filter", "$select", "DataExchangePoint"]), ANYTHING), max_size=4), ANYTHING
)
def test_what_goes_into_an_address_comes_out_of_it(options: list[tuple[str, str]], path: str) -> None:
    """Whatever a value holds, a server that splits at & and undoes percent signs gets it back unchanged."""
    url = build(ROOT, path, options)
    assert url.isascii()
    rest = url.removeprefix(f"{ROOT}/")
    got_path, _, query = rest.partition("?") if options else (rest, "", "")
    assert unquote(got_path) == path
    parts = [part.partition("=") for part in query.split("&")] if options else []
    assert [(unquote(name), unquote(value)) for name, _, value in parts] == options


@given(ANYTHING)
def test_an_address_holds_nothing_that_1c_or_iis_misreads(value: str) -> None:
    """No plus (IIS refuses it for a blank), no blank, no fragment; the dollar of an option is not encoded."""
    query = build(ROOT, "X", [("$filter", value)]).partition("?")[2]
    assert query.startswith("$filter=")
    assert not set(query) & set('+ #"<>\\^`{|}')


@given(ANYTHING)
def test_a_text_literal_cannot_be_left_by_its_value(value: str) -> None:
    """Quotes inside are doubled, so undoing gives the value and nothing follows the literal."""
    literal = text(value)
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "").count("'") == 0
    assert literal[1:-1].replace("''", "'") == value


def test_the_shapes_that_1c_documents() -> None:
    """Cyrillic sets as UTF-8, blanks as %20, literals of 1C's own samples."""
    url = build(ROOT, "Catalog_Я", [("$filter", f"Ref_Key eq {guid('0')} and X eq 1"), ("$top", "5")])
    assert url == f"{ROOT}/Catalog_%D0%AF?$filter=Ref_Key%20eq%20guid'0'%20and%20X%20eq%201&$top=5"
    assert build(ROOT, "") == f"{ROOT}/"
    assert moment(date(2024, 1, 31)) == "datetime'2024-01-31T00:00:00'"
    assert moment(datetime(24, 1, 31, 23, 59, 58, 7, tzinfo=UTC)) == "datetime'0024-01-31T23:59:58'"


def test_a_window_is_half_open_and_stays_within_1c_calendar() -> None:
    """From the first day up to but not including the last; a bound that 1C's dates cannot reach is left out."""
    assert between("Date", date(2024, 1, 1), date(2024, 2, 1)) == (
        "Date ge datetime'2024-01-01T00:00:00' and Date lt datetime'2024-02-01T00:00:00'"
    )
    assert between("Date", date(2024, 1, 1), date(9999, 1, 1)) == "Date ge datetime'2024-01-01T00:00:00'"
    assert between("Date", date(1, 1, 1), date(9999, 1, 1)) == ""


@pytest.mark.parametrize(
    ("given_", "meant"),
    [
        ("http://server/base", ROOT),
        ("  http://server/base/ ", ROOT),
        ("http://server/base/odata/standard.odata/", ROOT),
        ("http://user:secret@server:8080/base", ROOT.replace("server", "server:8080")),
        ("https://[::1]:8443/b", "https://[::1]:8443/b/odata/standard.odata"),
    ],
)
def test_the_service_is_found_from_what_an_admin_writes(given_: str, meant: str) -> None:
    """With or without the service's own path, blanks or a login: the address is completed and holds no login."""
    assert root(given_) == meant


@pytest.mark.parametrize("url", ["", "server/base", "ftp://server/base", "http://", "http://server:99999/base"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """A mistake in the settings is told before anything is sent."""
    with pytest.raises(NeedsPerson) as error:
        root(url)
    assert error.value.code == "address_invalid"


def test_only_this_machine_is_loopback() -> None:
    """Compression is left out only where no wire is between."""
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "localhost", "::1"]))
    assert not any(map(is_loopback, ["10.0.0.1", "server", "localhost.company.ru", "128.0.0.1", "127.company.ru"]))

"""Every sentence of ``connect.yaml``, provoked: what the server does, and what the admin reads."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import hub.texts
from connectors.base import ReadRequest
from connectors.onec_odata.answers import TEXT_LIMIT, Answer, complaint
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.registry import open_connector
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem
from tests.connectors.conftest import SECRET, Open
from tests.connectors.server import Reply, Request, Script, collection, fault
from tests.connectors.write_stories import WRITE_STORIES

CODES = yaml.safe_load((Path(hub.texts.__file__).parent / "connect.yaml").read_text(encoding="utf-8"))
READ = ReadRequest("Catalog_X", ("Code",))
HTML = "text/html; charset=utf-8"
#: A port that nothing listens on: below those that are given out, and of no service.
CLOSED = 1
FEED = '<feed xmlns="http://www.w3.org/2005/Atom"><entry>'


def raised(act: Callable[[], Any]) -> HubError:
    """The error that ``act`` ends with."""
    with pytest.raises(HubError) as error:
        act()
    return error.value


def page(text: str, status: int = 200) -> Reply:
    """A web page where data was asked for."""
    return Reply(status, f"<!DOCTYPE html><html><body>{text}</body></html>".encode(), HTML)


def app_error(text: str) -> Reply:
    """The application server's own shape: the words are in the innermost ``descr``."""
    inner = f'{{"clsid": "1", "descr": "{text}", "inner": null}}'
    return Reply(500, f'{{"exception": "580392e6", "descr": "Ошибка HTTP", "inner": {inner}}}'.encode())


#: What the server answers to reading a set → the error that it means.
ANSWERS: list[tuple[str, type[HubError], Reply]] = [
    ("source_busy", RetryLater, page("406 - Not Acceptable", 406)),
    ("source_busy", RetryLater, page("Service Unavailable", 503)),
    ("source_gateway", RetryLater, page("Bad Gateway", 502)),
    ("source_failed", RetryLater, page("1C:Enterprise 8 application error", 500)),
    ("source_failed", RetryLater, page("1C:Enterprise 8 application error: сбой")),
    ("source_failed", RetryLater, app_error("Сеанс работы завершен администратором")),
    ("source_failed", RetryLater, Reply(500, b"\x00\x01")),
    ("base_locked", RetryLater, app_error("Начало сеанса с информационной базой запрещено. Обновление до 22:00")),
    ("no_licence", RetryLater, page("Не обнаружено свободной лицензии!", 500)),
    ("connection_lost", RetryLater, Reply(cut=-1)),
    ("page_cut", RetryLater, Reply(body=b'{"value": [{"Ref_Key": "1"}]}', cut=12)),
    ("page_cut", RetryLater, Reply(body=b'{"value": [{"Ref_Key": "1", "Co')),
    ("page_cut", RetryLater, Reply(body=b"")),
    ("auth_failed", StopSystem, page("401 - Unauthorized", 401)),
    ("auth_failed", StopSystem, page("Идентификация пользователя не выполнена")),
    ("auth_failed", StopSystem, app_error("Неправильное имя или пароль пользователя")),
    ("proxy_unreachable", StopSystem, page("407 Proxy Authentication Required", 407)),
    ("forbidden", StopSystem, page("403 - Forbidden", 403)),
    ("rights_missing", StopRoute, fault(401, "20", "Нарушение прав доступа!")),
    ("rights_missing", StopRoute, fault(403, "-1", "Недостаточно прав")),
    ("not_onec", StopSystem, page("404 - File or directory not found", 404)),
    ("not_onec", StopSystem, Reply(body=b'{"swagger": "2.0"}')),
    ("html_page", StopSystem, page("<script>var pw = 1</script>Войдите в <b>сеть</b>")),
    ("address_moved", StopSystem, Reply(302, headers={"Location": "https://user:pw@new/base?sid=1"})),
    ("not_json", StopRoute, Reply(body=b'<?xml version="1.0"?><feed/>', kind="application/atom+xml")),
    ("not_json", StopRoute, Reply(body=b"ok", kind="text/plain")),
    ("unknown_set", StopRoute, fault(404, "8", "Сущность «Catalog_X» не найдена")),
    ("unknown_set", StopRoute, fault(400, "6", "Сегмент пути Catalog_X не найден!")),
    ("unknown_field", StopRoute, fault(400, "6", "Сегмент пути Code не найден!")),
    ("unknown_field", StopRoute, fault(400, "10", "Свойство не найдено")),
    ("unknown_object", StopRoute, fault(404, "9", "Экземпляр сущности не найден")),
    ("source_memory", StopRoute, fault(500, "-1", "Недостаточно памяти для получения результата запроса")),
    ("source_memory", StopRoute, app_error("No space left on device /tmp/v8_1.tmp")),
    ("key_missing", StopRoute, collection([{"Code": "1"}])),
    ("source_error", StopRoute, fault(400, "14", "Ошибка разбора опции запроса $filter")),
    ("source_error", StopRoute, fault(500, "-1", "Ошибка СУБД: joins can have at most 32767 columns")),
    ("source_error", StopRoute, page("Bad Request - Invalid URL", 400)),
    ("source_error", StopRoute, Reply(500, b"<m:error><m:code>-1</m:code><m:message>\xd0\x9d</m:message></m:error>")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "reply"), ANSWERS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_answer_is_judged_by_its_status_and_its_body(
    scripted: Open, code: str, kind: type[HubError], reply: Reply
) -> None:
    """Each shape of failure that 1C, its servers and what stands between can take becomes the right error."""
    connector, _ = scripted(lambda request: reply)
    error = raised(lambda: list(connector.read(READ)))
    assert (error.code, type(error)) == (code, kind)


def _nodes(request: Request) -> Reply:
    if request.path.startswith("SelectChanges"):
        return Reply(body=FEED.encode(), kind="application/atom+xml")
    own = {"Ref_Key": "1", "Code": "000", "Description": "Этот узел", "ReceivedNo": "0", "ThisNode": True}
    return collection([own, {"Ref_Key": "2", "Code": "CRM ", "Description": "Хаб", "ReceivedNo": "0"}])


def _slow(request: Request) -> Reply:
    time.sleep(0.4)
    return collection([])


def _check(script: Script, code: str, **settings: Any) -> Callable[[Open], HubError]:
    """The problem or note with ``code`` that ``check`` reports."""

    def act(open_: Open) -> HubError:
        report = open_(script, **settings)[0].check()
        return next(found for found in (*report.problems, *report.notes) if found.code == code)

    return act


def _reading(script: Script, request: ReadRequest = READ, **settings: Any) -> Callable[[Open], HubError]:
    return lambda open_: raised(lambda: list(open_(script, **settings)[0].read(request)))


def _opening(**settings: Any) -> Callable[[Open], HubError]:
    given = {"code": "ut", "title": "УТ", "user": "Обмен", "password": SECRET, "url": "http://127.0.0.1/b"}
    return lambda open_: raised(lambda: OneC(OneCSettings(**(given | settings))))


def _at(url: str, **settings: Any) -> Callable[[Open], HubError]:
    return lambda open_: raised(lambda: list(open_(lambda r: Reply(), url=url, **settings)[0].read(READ)))


def _system(**settings: Any) -> Callable[[Open], HubError]:
    given = SimpleNamespace(code="ut", title="УТ", url="/nowhere.json", node="", page_size=1, kind="memory")
    given.__dict__.update(settings)
    return lambda open_: raised(lambda: open_connector(given))  # type: ignore[arg-type]


_CLOCK = itertools.count()


def _service(*names: str, **headers: str) -> Script:
    body = collection([{"name": n, "url": n} for n in names]).body
    return lambda request: Reply(body=body, headers=headers)


def _big(request: Request) -> Reply:
    return collection([{"Ref_Key": "1", "Code": "x" * 5000}])


def _restless(request: Request) -> Reply:
    """Other records at every request."""
    top, now = request.number("$top"), next(_CLOCK)
    return collection([{"Ref_Key": f"{now}-{n}"} for n in range(top)])


def _misfit(request: Request) -> Reply:
    if request.path.startswith("$metadata"):
        return Reply(body=b'<Edmx><EntitySet Name="A" EntityType="StandardODATA.A"/></Edmx>', kind="application/xml")
    return _service("A", "Catalog_Новый")(request)


def _plain_http_as_https(open_: Open) -> HubError:
    _, server = open_(_big)
    return _at(server.url.replace("http:", "https:"))(open_)


def _unchecked(open_: Open) -> HubError:
    connector, _ = open_(_big, url="https://127.0.0.1:1/b", verify=False)
    return next(note for note in connector._notes(SimpleNamespace(server_time=None)) if note.code == "tls_unchecked")  # type: ignore[arg-type]


def _named(open_: Open) -> HubError:
    connector, _ = open_(_big, url="http://server/b")
    [note] = connector._notes(SimpleNamespace(server_time=None))  # type: ignore[arg-type]
    return note


#: What cannot be told by one answer → how it comes about.
STORIES: dict[str, Callable[[Open], HubError]] = {
    "address_invalid": _opening(url="server/base"),
    "proxy_invalid": _opening(proxy="proxy.local"),
    "ca_unreadable": _opening(url="https://127.0.0.1/b", verify="/nowhere/ca.pem"),
    "unknown_kind": _system(kind="fax"),
    "memory_unreadable": _system(),
    "node_unknown": lambda open_: raised(lambda: open_(_nodes)[0].feed("ОбменСХабом/ERP")),
    "plan_unpublished": _check(_service("Catalog_X"), "plan_unpublished", exchange_plan="Обмен", node="CRM"),
    "host_unknown": _at("http://no-such-host.invalid/b"),
    "source_unreachable": _at(f"http://127.0.0.1:{CLOSED}/b"),
    "proxy_unreachable": _reading(_big, proxy=f"http://user:{SECRET}@127.0.0.1:{CLOSED}"),
    "tls_invalid": _plain_http_as_https,
    "source_timeout": _reading(_slow, timeout=0.1, first_timeout=0.1),
    "feed_cut": lambda open_: raised(lambda: open_(_nodes)[0].feed("ОбменСХабом/CRM")),
    "unknown_table": _reading(
        lambda r: fault(400, "6", "Метод не найден: Balance"), ReadRequest("Catalog_X", table="balance")
    ),
    "skip_ignored": _reading(lambda r: collection([{"Ref_Key": f"{n}"} for n in range(r.number("$top"))])),
    "key_repeats": _reading(
        lambda r: collection([{"A_Key": "1"}] * 2), ReadRequest("AccumulationRegister_X", (), ("A_Key",), "turnovers")
    ),
    "single_unreadable": lambda open_: raised(
        lambda: open_(_big)[0].fetch(ReadRequest("AccumulationRegister_X", table="balance"), ["1"])
    ),
    "set_unsteady": _reading(_restless),
    "record_too_big": _reading(_big, page_bytes=1000),
    "nothing_published": _check(_service(), "nothing_published"),
    "metadata_misfit": _check(_misfit, "metadata_misfit"),
    "clock_differs": _check(_service("A", Date=formatdate(1_000_000_000, usegmt=True)), "clock_differs"),
    "tls_unchecked": _unchecked,
    "login_unprotected": _named,
    **WRITE_STORIES,
}


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that knows loopback only: no test asks a name server."""
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in {"127.0.0.1", "localhost"}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("code", STORIES)
@pytest.mark.usefixtures("no_names")
def test_a_mistake_or_a_broken_way_has_its_own_error(scripted: Open, code: str) -> None:
    """Settings, names, ports, certificates, time, weight, publication: each is told apart."""
    assert STORIES[code](scripted).code == code


def test_every_sentence_of_the_catalogue_is_provoked() -> None:
    """No entry of ``connect.yaml`` without a story above that leads to it, and the other way round."""
    assert set(CODES) == {code for code, _, _ in ANSWERS} | set(STORIES)


@pytest.mark.parametrize("code", sorted(CODES))
@pytest.mark.usefixtures("no_names")
def test_the_admin_reads_what_is_wrong_where_and_what_to_do(scripted: Open, code: str) -> None:
    """In both languages: the system's name, no unfilled mark, an advice, and never the password."""
    replies = {name: reply for name, _, reply in ANSWERS}
    story = STORIES.get(code) or _reading(lambda request: replies[code])
    error = story(scripted)
    for lang in ("ru", "en"):
        sentence, advice = error.sentence(lang), error.advice(lang)
        assert sentence.startswith(("УТ: ", "ut: "))
        assert len(advice) > 20
        assert "{" not in sentence.replace('{"', "")
        assert SECRET not in sentence + advice + repr(error.params) + repr(error.args)


def test_words_of_1c_are_passed_on_readable() -> None:
    """Base64 that 1C makes of texts with control characters is undone, markup dropped, length cut."""
    packed = fault(500, "-1", "0J7RiNC40LHQutCwINCyINC80L7QtNGD0LvQtQLQntCx0LzQtdC9")
    assert complaint(Answer(500, {}, packed.body)).text == "Ошибка в модуле Обмен"
    assert complaint(Answer(500, {}, page("<style>x{}</style>Нет&nbsp;<b>связи</b>").body)).text == "Нет связи"
    long = complaint(Answer(500, {}, fault(500, "-1", "о" * 5000).body)).text
    assert len(long) == TEXT_LIMIT
    assert long.endswith("…")


def test_a_page_that_repeats_its_title_is_passed_on_once() -> None:
    """1C's page of an error says the same in its title, its heading and then the reason."""
    title = "1C:Enterprise 8 application error"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>Нет места</p></body></html>"
    assert complaint(Answer(200, {}, body.encode())).text == f"{title} Нет места"


def test_a_settings_object_never_shows_its_password() -> None:
    """Neither the password nor the proxy's login stands in the representation."""
    shown = repr(OneCSettings("ut", "http://h/b", "Обмен", SECRET, proxy=f"http://u:{SECRET}@p:1"))
    assert SECRET not in shown

"""Which connector speaks to which kind of system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connectors.base import Connector, Traffic
from connectors.calendars.account import Account
from connectors.calendars.cloud import google, graph
from connectors.calendars.cloud.base import CloudCalendar
from connectors.calendars.dav.connector import CalDav
from connectors.calendars.feed import IcsFeed
from connectors.cloud_pbx.config import CloudSettings
from connectors.cloud_pbx.connector import CloudPbx
from connectors.imap.config import ImapSettings, TokenEndpoint
from connectors.imap.connector import Imap
from connectors.mailing.config import Account as MailingAccount
from connectors.mailing.connector import Mailing
from connectors.memory import BASES, MemoryBase, MemoryConnector
from connectors.messengers.config import Account as MessengerAccount
from connectors.messengers.connector import Messenger
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.sql_tables.config import SqlSettings
from connectors.sql_tables.connector import SqlTables
from connectors.telephony.config import PbxSettings
from connectors.telephony.connector import InDatabase, Origin, Pbx
from connectors.telephony.files import InFiles
from hub.model.errors import NeedsPerson
from hub.model.settings import SecretRef, SystemSettings
from hub.model.settings_comms import CalendarSettings, CallSettings, MailingSettings, MailSettings, MessengerSettings


def _onec(system: SystemSettings, cache: Path | None) -> Connector:
    return OneC(
        OneCSettings(
            code=system.code,
            url=system.url,
            user=system.user,
            password=system.password.resolve() if system.password else "",
            title=system.title,
            max_sessions=system.max_sessions,
            page_size=system.page_size,
            request_days=system.request_days,
            timeout=system.timeout,
            first_timeout=system.first_timeout,
            allowed_only=system.allowed_only,
            verify=system.verify,
            proxy=system.proxy,
            exchange_plan=system.exchange_plan or "",
            node=system.node or "",
            timezone=system.timezone,
            schema_seconds=system.schema_seconds,
        ),
        cache,
    )


def _memory(system: SystemSettings, cache: Path | None) -> Connector:
    """``memory://name`` is a base of this process, anything else a JSON file (``MemoryBase.load``)."""
    del cache  # there is nothing to parse anew
    name = system.url.removeprefix("memory://")
    if name == system.url:
        try:
            base = MemoryBase.load(Path(system.url))
        except (OSError, ValueError, KeyError):
            raise NeedsPerson("memory_unreadable", system=system.title or system.code, path=system.url) from None
    else:
        base = BASES.setdefault(name, MemoryBase(name))
    return MemoryConnector(base, system.title or system.code, system.node or "", system.page_size)


def _sql(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # a schema is reflected in one question
    return SqlTables(
        SqlSettings(
            url=system.url,
            user=system.user,
            password=system.password.resolve() if system.password else "",
            title=system.title or system.code,
            timezone=system.timezone,
            max_sessions=system.max_sessions,
            page_size=system.page_size,
            timeout=system.timeout,
            schema_seconds=system.schema_seconds,
            tables=system.tables,
        )
    )


def _pbx(system: SystemSettings, cache: Path | None) -> Connector:
    """Of ``pbx_files`` the address is a path: ``Master.csv``, or the folder that it lies in."""
    del cache  # what files hold is laid out anew each time: a poll reads their ends only
    in_files = system.kind == "pbx_files"
    settings = PbxSettings(
        SqlSettings(
            url="" if in_files else system.url,
            user=system.user,
            password=system.password.resolve() if system.password else "",
            title=system.title or system.code,
            timezone=system.timezone,
            max_sessions=system.max_sessions,
            page_size=system.page_size,
            timeout=system.timeout,
        ),
        system.code,
        system.calls or CallSettings(),
        system.url if in_files else "",
    )
    traffic = Traffic()
    origin: Origin = InFiles(settings, traffic) if in_files else InDatabase(settings, traffic)
    return Pbx(settings, origin, traffic)


def _cloud(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # a service has no schema to keep
    calls = system.calls or CallSettings()
    settings = CloudSettings(
        calls.service,
        url=system.url,
        user=system.user,
        password=system.password.resolve() if system.password else "",
        title=system.title or system.code,
        timezone=system.timezone,
        area_code=calls.area_code,
        history_days=calls.history_days,
        page_size=system.page_size,
        max_sessions=system.max_sessions,
        timeout=system.timeout,
        verify=system.verify,
        proxy=system.proxy,
        hook=_kept(calls.notices_word)(),
    )
    return CloudPbx(settings, system.code)


def _nothing() -> str:
    return ""


def _kept(word: str) -> Callable[[], str]:
    """What gives the secret that one word of the settings names (``env:NAME``), nothing for none."""
    kind, _, name = word.partition(":")
    return SecretRef(kind, name).resolve if name else _nothing  # type: ignore[arg-type]  # the settings let only the kinds pass


def _imap(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # the one stream of a mailbox is always the same
    mail = system.mail or MailSettings()
    secret, tokens = system.password.resolve if system.password else _nothing, None
    if mail.auth != "password" and mail.token_url:
        tokens = TokenEndpoint(mail.token_url, mail.client_id, mail.scope, secret, _kept(mail.client_secret))
    return Imap(
        ImapSettings(
            url=system.url,
            user=system.user,
            password=secret,
            title=system.title or system.code,
            auth=mail.auth,
            tokens=tokens,
            own=mail.own,
            folders=mail.folders,
            except_folders=mail.except_folders,
            timezone=system.timezone,
            verify=system.verify,
            timeout=system.timeout,
            max_sessions=system.max_sessions,
            page_size=min(system.page_size, 500),
        )
    )


def _messenger(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # the one stream of a messenger is always the same
    told = system.messenger or MessengerSettings()
    return Messenger(
        MessengerAccount(
            told.service,
            url=system.url,
            secret=system.password.resolve() if system.password else "",
            title=system.title or system.code,
            own=told.own,
            except_chats=told.except_chats,
            timezone=system.timezone,
            history_days=told.history_days,
            page_size=min(system.page_size, 500),
            max_sessions=system.max_sessions,
            timeout=system.timeout,
            verify=system.verify,
            proxy=system.proxy,
        )
    )


def _mailing(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # the one stream of a mailing service is always the same
    told = system.mailing or MailingSettings()
    return Mailing(
        MailingAccount(
            told.service,
            url=system.url,
            user=system.user,
            secret=system.password.resolve() if system.password else "",
            title=system.title or system.code,
            lists=told.lists,
            page_size=system.page_size,
            max_sessions=system.max_sessions,
            timeout=system.timeout,
            verify=system.verify,
            proxy=system.proxy,
        )
    )


def _account(system: SystemSettings, url: str = "", *, bearer: bool = False) -> Account:
    told = system.calendar or CalendarSettings()
    return Account(
        title=system.title or system.code,
        url=system.url or url,
        timezone=system.timezone,
        user=system.user,
        secret=system.password.resolve() if system.password else "",
        bearer=bearer,
        calendars=told.calendars,
        new_in=told.new_in,
        owner=told.owner or (system.user if "@" in system.user else ""),
        page_size=system.page_size,
        timeout=system.timeout,
        max_sessions=system.max_sessions,
        verify=system.verify,
        proxy=system.proxy,
        past=told.past,
        ahead=told.ahead,
    )


def _caldav(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # calendars are found in a few questions
    return CalDav(_account(system))


def _ics(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # a feed is given whole
    return IcsFeed(_account(system))


def _google(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # the service keeps the history
    return CloudCalendar(_account(system, google.URL, bearer=True), google.Google)


def _graph(system: SystemSettings, cache: Path | None) -> Connector:
    del cache  # the service keeps the history
    return CloudCalendar(_account(system, graph.URL, bearer=True), graph.Graph)


#: Maker of a connector by ``kind`` of the settings.
KINDS: dict[str, Callable[[SystemSettings, Path | None], Connector]] = {
    "onec_odata": _onec,
    "sql": _sql,
    "pbx_cloud": _cloud,
    "imap": _imap,
    "messenger": _messenger,
    "mailing": _mailing,
    "memory": _memory,
    "pbx_db": _pbx,
    "pbx_files": _pbx,
    "caldav": _caldav,
    "ics": _ics,
    "google_calendar": _google,
    "ms_calendar": _graph,
}


def open_connector(system: SystemSettings, cache: Path | None = None) -> Connector:
    """A connector for ``system``; no network is touched yet.

    ``cache``: a folder of the installation for what need not be parsed anew. ``NeedsPerson(unknown_kind)`` lists the
    valid kinds.
    """
    try:
        make = KINDS[system.kind]
    except KeyError:
        valid = ", ".join(KINDS)
        raise NeedsPerson("unknown_kind", system=system.code, kind=system.kind, valid=valid) from None
    return make(system, cache)

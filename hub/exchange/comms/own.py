"""Which addresses and numbers are ours, and which domains are everybody's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.model.identity import email_norm, parse_phone
from hub.model.messengers import messenger_norm
from hub.model.settings import Settings

#: Domains where anybody gets an address: that two have theirs there says nothing.
PUBLIC = frozenset(
    re.findall(
        r"\S+",
        """mail.ru inbox.ru list.ru bk.ru internet.ru xmail.ru vk.com yandex.ru ya.ru yandex.com yandex.by yandex.kz
        yandex.ua yandex.com.tr narod.ru rambler.ru lenta.ru autorambler.ru myrambler.ru ro.ru gmail.com googlemail.com
        outlook.com hotmail.com live.com live.ru msn.com icloud.com me.com mac.com yahoo.com yahoo.co.uk ymail.com
        rocketmail.com aol.com gmx.com gmx.de gmx.net web.de proton.me protonmail.com pm.me tutanota.com tuta.io
        zoho.com mail.com fastmail.com hey.com qip.ru pochta.ru hotbox.ru fromru.com front.ru nm.ru land.ru e1.ru
        ngs.ru nxt.ru sibmail.com tut.by mail.by ukr.net i.ua meta.ua bigmir.net mail.kz qq.com 163.com 126.com
        rostelecom.ru dom.ru beeline.ru mts.ru megafon.ru""",
    )
)


def domain_of(address: str) -> str:
    """What stands after the last ``@``; empty where there is none."""
    return address.rpartition("@")[2] if "@" in address else ""


def corporate(domain: str) -> bool:
    """Whether who writes from there belongs to whoever owns it."""
    return bool(domain) and domain not in PUBLIC


@dataclass(frozen=True, slots=True)
class Own:
    """What the settings call ours; employees of the store are ours besides."""

    addresses: frozenset[str]
    domains: frozenset[str]
    phones: frozenset[str]
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Own:
        """Named at the top of the file and by mailboxes, exchanges, messengers and calendars; a mailbox's own domain is
        ours too, unless it is everybody's.
        """
        mails, boxes, phones = list(settings.own_addresses), list[str](), [(one, "") for one in settings.own_phones]
        names = [name for one in settings.systems.values() if one.messenger is not None for name in one.messenger.own]
        for system in settings.systems.values():
            if system.mail is not None:
                mails.extend(system.mail.own)
                boxes.append(system.user)
            if system.calendar is not None:
                mails.extend((system.calendar.owner, system.user))
            if system.calls is not None:
                phones.extend((number, system.calls.area_code) for number in system.calls.own_numbers)
        addresses = frozenset(norm for norm, good in map(email_norm, (*mails, *boxes)) if good)
        of_boxes = {domain_of(norm) for norm, good in map(email_norm, boxes) if good}
        domains = {name.lower().lstrip("@") for name in settings.own_domains} | set(filter(corporate, of_boxes))
        numbers = frozenset(parse_phone(text, city).norm for text, city in phones)
        return cls(addresses, frozenset(domains), numbers, frozenset(map(messenger_norm, names)))

    def has(self, kind: str, norm: str) -> bool:
        """Whether the handle is one of ours."""
        if kind == "email":
            domain = domain_of(norm)
            return norm in self.addresses or any(domain == one or domain.endswith(f".{one}") for one in self.domains)
        return norm in {"phone": self.phones, "messenger": self.names}.get(kind, frozenset())

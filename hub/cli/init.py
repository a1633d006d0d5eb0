"""``obmen init``: a commented ``hub.yaml``, filled from what a base tells about itself where there is one to ask."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import click

from hub.cli import trouble
from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.init_base import DEFAULT_PROFILE, Found, ask, choice_notes, feed_notes, route_notes, why
from hub.cli.parser import command, option
from hub.model.errors import NeedsPerson, StopSystem
from hub.model.settings import FILE_NAME, Problem, SecretRef, SystemSettings, load_settings
from hub.model.settings_keys import Bad, url, zone

DEFAULT_ZONE = "Europe/Moscow"
_EXAMPLE = "http://server/base/odata/standard.odata"
#: Zones that a server is set to without telling where its company is.
_NOWHERE = {"UTC", "Etc/UTC", "Etc/UCT", "UCT", "GMT", "Zulu", "Universal"}


def commands(lang: str) -> list[click.Command]:
    """The command."""
    options = [
        option(lang, "--from", "address", metavar="URL"),
        option(lang, "--user", "user", metavar="NAME", default=""),
        option(lang, "--password-env", "variable", metavar="VARIABLE", default="OBMEN_1C_PASSWORD", show_default=True),
        option(lang, "--timezone", "timezone", metavar="ZONE", default=None),
        option(lang, "--profile", "profile", metavar="PROFILE", default=None),
        option(lang, "--force", "force", is_flag=True),
    ]
    return [command(lang, "init", init, options)]


def init(
    call: Call,
    address: str | None = None,
    user: str = "",
    variable: str = "OBMEN_1C_PASSWORD",
    timezone: str | None = None,
    profile: str | None = None,
    *,
    force: bool = False,
) -> Outcome:
    """Write the file; nothing is written when the base cannot be asked or the file is there already."""
    path = call.home / FILE_NAME
    if path.exists() and not force:
        raise NeedsPerson("cli_init_exists", path=path)
    zone_name = _checked(zone, timezone, "--timezone") if timezone else machine_zone()
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise NeedsPerson("cli_init_variable")  # what stands there instead may be the password
    found = Found()
    where = _EXAMPLE
    if address:
        where = _checked(url, address, "--from")
        found = _ask(_candidate(where, user, variable, zone_name), profile)
    elif profile:
        found.profile = _shipped(profile)
    text = _file(call, where, user, variable if user else "", zone_name, found)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    load_settings(path.parent)  # what we write we must be able to read
    return _told(call, path, found, asked=bool(address))


class BadOption(NeedsPerson):
    """A value of the command line that ``hub.yaml`` would refuse as well, told in the same words."""

    def __init__(self, flag: str, bad: Bad) -> None:
        super().__init__(bad.code, **bad.params)
        self.problem = Problem(0, flag, bad.code, bad.params)

    def sentence(self, lang: str = "ru") -> str:
        """What is wrong, with what was probably meant."""
        return self.problem.text(lang)

    def advice(self, lang: str = "ru") -> str:
        """Nothing more: the sentence holds it."""
        return ""


def _checked(parse: Callable[[str], str], text: str, flag: str) -> str:
    try:
        return parse(text)
    except Bad as bad:
        raise BadOption(flag, bad) from None


def machine_zone() -> str:
    """The zone this machine is set to, where it says one; the file asks the admin to look at it."""
    told = [os.environ.get("TZ", "").removeprefix(":")]
    link = Path("/etc/localtime")
    if link.is_symlink():
        told.append(str(link.resolve()).partition("zoneinfo/")[2])
    for name in told:
        try:
            if name and name not in _NOWHERE and "/" in name:
                return zone(name)
        except Bad:
            continue
    return DEFAULT_ZONE


def _candidate(address: str, user: str, variable: str, zone_name: str) -> SystemSettings:
    """The base as it would stand in the settings."""
    password = SecretRef("env", variable) if user else None
    title = title_of(address)
    return SystemSettings("base", "onec_odata", zone_name, DEFAULT_PROFILE, title, address, user, password)


def _ask(system: SystemSettings, profile: str | None) -> Found:
    """What the base tells. That it wants another login is told by the command's own words: there is no file yet."""
    try:
        return ask(system, profile)
    except StopSystem as error:
        if error.code != "auth_failed":
            raise
        if system.password is None:
            raise NeedsPerson("cli_init_login", system=system.title) from None
        params = {"system": system.title, "user": system.user, "variable": system.password.name}
        raise NeedsPerson("cli_init_password", **params) from None


def _shipped(profile: str) -> str:
    """The profile, or ``NeedsPerson(unknown_profile)`` with the valid ones."""
    from mappings.profile import read_profile

    read_profile(profile)
    return profile


def title_of(address: str) -> str:
    """``1С trade`` from ``http://server/trade/odata/standard.odata``."""
    parts = [part for part in urlsplit(address).path.split("/") if part and part not in {"odata", "standard.odata"}]
    return f"1С {parts[-1]}" if parts else "1С"


def _file(call: Call, address: str, user: str, variable: str, zone_name: str, found: Found) -> str:
    """The text of ``hub.yaml``; what came from outside is quoted as JSON, which is YAML too."""
    code = re.sub(r"\d+$", "", found.profile.removeprefix("onec_")) or "base"
    login = [f"    user: {_quoted(user)}", f"    password: {{env: {variable}}}"] if user else []
    example = ["    # user: obmen", "    # password: {env: OBMEN_1C_PASSWORD}"]
    return (
        call.text(
            "init_file",
            locale=call.lang,
            zone=zone_name,
            system=code,
            title=_quoted(title_of(address)),
            url=_quoted(address),
            login="\n".join(login or example),
            profile=found.profile,
            choice=_comments("    # ", choice_notes(call, found)),
            feed=_comments("    # ", feed_notes(call, found)),
            routes=_comments("#   ", route_notes(found, code)),
        )
        + "\n"
    )


def _comments(lead: str, notes: Iterable[str]) -> str:
    return "\n".join(lead + note for note in notes)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _told(call: Call, path: Path, found: Found, *, asked: bool) -> Outcome:
    from mappings.configurations import tree_name

    base = found.base
    matched, wanted = (base.matched, base.wanted) if base is not None else (0, 0)
    lines = [call.text("init_written", path=path)]
    if base is not None:
        lines.append(call.text("init_base", title=base.titles[call.lang], why=why(call, base)))
        lines.append(call.text("init_profile", profile=found.profile, matched=matched, wanted=wanted))
    lines += _missing(call, found)
    lines += [f"! {' '.join(trouble.as_lines(note, call.lang))}" for note in found.report.notes]
    lines += ["", call.text("init_next" if asked else "init_next_blank", path=path)]
    data = {
        "path": str(path),
        "profile": found.profile,
        "configuration": base.titles[call.lang] if base is not None else None,
        "why": why(call, base) if base is not None else None,
        "matched": matched,
        "wanted": wanted,
        "unpublished": [{"stream": stream, "object": tree_name(stream)} for stream in found.unpublished],
        "missing": [trouble.as_dict(problem, call.lang) for problem in found.missing],
        "notes": [trouble.as_dict(note, call.lang) for note in found.report.notes],
    }
    return Outcome(WAITS if found.missing else DONE, data, lines)


def _missing(call: Call, found: Found) -> list[str]:
    """What is not published, by the names of 1C's own tree, and how to publish it; then what does not fit."""
    from mappings.configurations import tree_name

    lines: list[str] = []
    if found.unpublished:
        lines += ["", call.text("init_missing", number=len(found.unpublished))]
        lines += [f"  - {tree_name(stream)} ({stream})" for stream in found.unpublished]
        lines += [call.text("init_publish")]
    others = [problem for problem in found.missing if problem.code != "mapping_stream_missing"]
    if others:
        lines += ["", call.text("init_unfit", number=len(others))]
        lines += [f"  - {problem.sentence(call.lang)}" for problem in others]
    return lines

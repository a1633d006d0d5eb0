"""``obmen recording``: the recording of a call, fetched from its exchange into a file."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path

import click

from hub.cli.call import DONE, Call, Outcome
from hub.cli.parser import argument, command, option


def commands(lang: str) -> list[click.Command]:
    """The command."""
    words = [
        argument("ident", "ACTIVITY", required=True),
        option(lang, "--to", "to", metavar="FILE", required=True),
        option(lang, "--part", "part", type=click.IntRange(1, 99), default=1),
    ]
    return [command(lang, "recording", recording, words)]


def recording(call: Call, ident: str, to: str, part: int = 1) -> Outcome:
    """Fetch the recording; the journal keeps who did."""
    from hub.exchange.hub import Hub
    from hub.exchange.recordings import fetch_recording

    with Hub.open(call.home) as hub:
        done = fetch_recording(hub, ident, Path(to).expanduser().absolute(), by=getpass.getuser(), part=part)
    told = {"record": done.record_id, "system": done.system, "path": done.path, "run": done.run_id}
    return Outcome(DONE, asdict(done), [call.text("recording_done", kilobytes=max(1, done.size >> 10), **told)])

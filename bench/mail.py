"""A mailbox on a real Dovecot: first sync against imapclient fetching the very same, second sync, memory.

``python -m bench.mail [--letters 100000]``

Each contestant is a process of its own; what counts is CPU seconds of the client and their ratio. The hub's figure
holds everything: fetched, decoded, mapped, stored (SQLite), matched to clients, of whom the store knows half, and
threaded.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.mail_worker import SENDERS, USER, address
from stand.mail.writing import File, dated, letter, person, word
from tests.connectors.imap.dovecot import NO_DOVECOT, Dovecot, installed

GOAL, COMMANDS, RSS_MB = 4.0, 5, 200
_WORDS = [
    "заявка",
    "счёт",
    "отгрузка",
    "договор",
    "оплата",
    "склад",
    "поставка",
    "прайс",
    "акт",
    "сверка",
    "машина",
    "пятница",
    "срок",
    "партия",
    "скидка",
]
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
#: Folders beside INBOX; a part of the letters lies in each.
FOLDERS = ("Sent", "Клиенты")


def letters(number: int, seed: int = 1) -> Iterator[tuple[float, bytes]]:
    """So many letters with the moments of their arrival: plain, with HTML, HTML alone, with files, in threads."""
    luck = random.Random(seed)
    ids: list[str] = []
    for n in range(number):
        moment = _FIRST + timedelta(minutes=n * 7)
        client, mid = luck.randrange(SENDERS), f"<{n}.{luck.randrange(10**9)}@client.example>"
        text = "Добрый день!\n\n" + "\n".join(
            " ".join(luck.choices(_WORDS, k=12)) for _ in range(luck.randrange(3, 40))
        )
        head = {
            "Return-Path": f"<{address(client)}>",
            "Received": f"from a by b; {dated(moment)}",
            "From": person(f"Клиент номер {client}", address(client)),
            "To": f"{USER}, copy@own.example",
            "Subject": word(("Re: " if n % 3 else "") + " ".join(luck.choices(_WORDS, k=4)).capitalize()),
            "Date": dated(moment),
            "Message-ID": mid,
        }
        if ids and n % 3:
            parent = luck.choice(ids[-500:])
            head |= {"In-Reply-To": parent, "References": parent}
        html = f"<html><body><p>{'</p><p>'.join(text.split(chr(10)))}</p></body></html>" if n % 2 else ""
        files = [File(f"Счёт {n}.pdf", "application/pdf", bytes(3000))] if n % 5 == 0 else []
        ids.append(mid)
        charset = "windows-1251" if n % 7 == 0 else "utf-8"
        yield moment.timestamp(), letter(head, "" if n % 10 == 9 else text, html=html, files=files, charset=charset)


def fill(server: Dovecot, number: int) -> None:
    """Letters as files; the folders beside INBOX get a tenth each."""
    for name in FOLDERS:
        server.admin("mailbox", "create", "-u", USER, name) if name != "Sent" else None
    for n, (when, raw) in enumerate(letters(number)):
        server.drop(USER, f"{1_700_000_000 + n}.M{n}P1.host", raw, when)
    for n, name in enumerate(FOLDERS):
        first = 1 + n * (number // 10)
        server.admin("move", "-u", USER, name, "mailbox", "INBOX", "uid", f"{first}:{first + number // 10 - 1}")


def run(*words: str) -> dict[str, Any]:
    """One contestant's figures."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.mail_worker", *words],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=7200,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def contest(number: int, home: Path) -> tuple[list[str], float]:
    """A mailbox of so many letters; what is over its goal, and the hub's peak memory in MB."""
    server = Dovecot(9)
    try:
        fill(server, number)
        port, file = str(server.port), str(home / f"plan{number}.json")
        url = f"sqlite:///{home}/store{number}.db"
        alone = run("plan", port, file)  # also warms the server's own cache for both
        bares = [run("bare", port, file)]
        run("clients", port, url, str(home))
        first = run("hub", port, url, str(home))
        bares += [run("bare", port, file) for _ in range(2)]
        second = run("hub", port, url, str(home))
    finally:
        server.stop()
    # The same fetch costs an eighth more or less from one time to the next: it is taken before and behind the hub's.
    bare = sorted(bares, key=lambda told: float(told["cpu"]))[1]
    ratio = first["cpu"] / bare["cpu"]
    print(
        f"{number} letters, {len(FOLDERS) + 1} folders; CPU seconds of the client, wall seconds, messages a second, MB"
    )
    for name, told in (("imapclient", bare), ("connector", alone), ("hub, first", first), ("hub, second", second)):
        speed = told["records"] / told["wall"] if told["records"] else 0
        print(f"  {name:<12}{told['cpu']:>8.2f}{told['wall']:>8.2f}{speed:>9.0f}{told['rss']:>7.0f}", flush=True)
    print("  imapclient, each time:", *(f"{told['cpu']:.2f}" for told in bares))
    print(f"  on a client's card: {first['matched']}; threads: {first['threads']}")
    print(f"  ratio of CPU, first sync to imapclient: {ratio:.2f}; commands of the second: {second['commands']}")
    wrong = [f"ratio {ratio:.2f} is over {GOAL}"] if ratio > GOAL else []
    wrong += [f"{second['commands']} commands"] if second["commands"] > COMMANDS else []
    wrong += ["the second sync saw letters"] if second["records"] else []
    wrong += [f"{number} letters, {first['created']} created"] if first["created"] != number else []
    wrong += [] if first["matched"] * 5 > number else ["hardly any letter found its client"]
    wrong += [f"peak {first['rss']:.0f} MB"] if first["rss"] > RSS_MB else []
    return wrong, first["rss"]


def main() -> None:
    """Half of the letters first, to show that memory does not grow with them; end with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--letters", type=int, default=100_000)
    given = parser.parse_args()
    if not installed():
        print(NO_DOVECOT)
        return
    print(f"load of this machine {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="obmen_bench_") as home:
        _, half = contest(given.letters // 2, Path(home))
        wrong, whole = contest(given.letters, Path(home))
    print(f"memory: {half:.0f} MB for half, {whole:.0f} MB for all")
    wrong += ["memory grows with the letters"] if whole > half * 1.25 + 10 else []
    for line in wrong:
        print(f"OVER: {line}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

"""A real Kamailio on the loopback, and SIPp that places calls through it: what a SIP exchange really accounts."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.installed import free_port
from tests.connectors.telephony.sip import ANSWERS, BUSY, CALLS, CANCELS, LETS_RING

NO_KAMAILIO = (
    "Kamailio or SIPp is not installed: live calls are skipped "
    "(apt-get install kamailio kamailio-sqlite-modules sip-tester)"
)
_TABLES = Path("/usr/share/kamailio/db_sqlite")
#: What the scripts of the route put into every row besides Kamailio's own columns.
_EXTRA = ("src_user", "src_domain", "src_ip", "dst_ouser", "dst_user", "dst_domain")
_CONFIGURATION = """#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
listen=udp:127.0.0.1:{port}
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "dialog.so"
loadmodule "db_sqlite.so"
loadmodule "acc.so"
modparam("rr", "enable_full_lr", 1)
modparam("dialog", "db_mode", 0)
modparam("acc", "report_cancels", 1)
modparam("acc", "db_flag", 1)
modparam("acc", "db_missed_flag", 2)
modparam("acc", "db_url", "sqlite:///{database}")
modparam("acc", "db_extra", "src_user=$fU;src_domain=$fd;src_ip=$si;dst_ouser=$tU;dst_user=$rU;dst_domain=$rd")
modparam("acc", "cdr_enable", 1)
modparam("acc", "cdr_start_on_confirmed", 1)
modparam("acc", "cdr_on_failed", 1)
modparam("acc", "cdrs_table", "acc_cdrs")
modparam("acc", "cdr_extra", "src_user=$dlg_var(src);dst_user=$dlg_var(dst);callid=$ci")
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ if (is_method("BYE")) {{ setflag(1); }} t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    sl_send_reply("404", "Not here"); exit;
  }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  t_check_trans();
  if (is_method("INVITE")) {{
    record_route();
    setflag(1); setflag(2);
    dlg_manage();
    $dlg_var(src) = $fU; $dlg_var(dst) = $rU;
    $du = "sip:127.0.0.1:{telephone}";
    t_relay(); exit;
  }}
  sl_send_reply("200", "OK");
}}
"""


def _modules() -> Path:
    found = next(Path("/usr/lib").glob("*/kamailio/modules/acc.so"), None)
    if found is None or not all(map(shutil.which, ("kamailio", "sipp"))) or not _TABLES.is_dir():
        pytest.skip(NO_KAMAILIO)
    return found.parent


@dataclass
class Kamailio:
    """A proxy that is running, its accounting in a file of SQLite, and one telephone behind it."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int
    telephone: int

    @property
    def database(self) -> Path:
        """The file of the accounting."""
        return self.folder / "kamailio.sqlite"

    @classmethod
    def start(cls, folder: Path) -> Kamailio:
        """Make its tables and start it; skips where it is not installed."""
        modules = _modules()
        kamailio, sipp = shutil.which("kamailio"), shutil.which("sipp")
        assert kamailio is not None
        assert sipp is not None
        with closing(sqlite3.connect(folder / "kamailio.sqlite")) as conn:
            for name in ("standard", "acc"):
                conn.executescript((_TABLES / f"{name}-create.sql").read_text())
            for table in ("acc", "missed_calls"):
                for column in _EXTRA:
                    conn.execute(f"ALTER TABLE {table} ADD COLUMN {column} varchar(128) DEFAULT ''")
            for column in ("src_user", "dst_user", "callid"):
                conn.execute(f"ALTER TABLE acc_cdrs ADD COLUMN {column} varchar(255) DEFAULT ''")
            conn.commit()
        port, telephone = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        told = {"port": port, "telephone": telephone, "modules": f"{modules}/", "database": folder / "kamailio.sqlite"}
        (folder / "kamailio.cfg").write_text(_CONFIGURATION.format(**told))
        command = [kamailio, "-DD", "-E", "-f", "kamailio.cfg", "-Y", str(folder), "-P", str(folder / "pid")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return cls(folder, process, port, telephone)

    def place(self, caller: str, callee: str, *, answers: str = ANSWERS, calls: str = CALLS) -> None:
        """One call, to its end. ``answers``: what the telephone does; ``calls``: what the caller does."""
        telephone = self._sipp("telephone", answers, "-p", str(self.telephone), "-m", "1")
        try:
            (self.folder / "numbers.csv").write_text(f"SEQUENTIAL\n{caller};{callee}\n")
            to = f"127.0.0.1:{self.port}"
            who = self._sipp("caller", calls, "-p", str(free_port()), "-inf", "numbers.csv", "-m", "1", to)
            assert who.wait(40) == 0, (self.folder / "caller.out").read_text(errors="replace")[-2000:]
            telephone.wait(20)
        finally:
            telephone.kill()
            telephone.wait(10)

    def _sipp(self, name: str, scenario: str, *more: str) -> subprocess.Popen[Any]:
        (self.folder / f"{name}.xml").write_text(scenario, encoding="ascii")
        command = ["sipp", "-sf", f"{name}.xml", "-i", "127.0.0.1", "-nostdin", "-timeout", "35", *more]
        with (self.folder / f"{name}.out").open("wb") as out:
            return subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def stop(self) -> None:
        """End it; its children go with it."""
        self.process.terminate()
        self.process.wait(30)


__all__ = ["ANSWERS", "BUSY", "CALLS", "CANCELS", "LETS_RING", "Kamailio"]

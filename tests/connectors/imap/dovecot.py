"""A real Dovecot for the tests: unprivileged, on a loopback port, in a folder of its own, gone with the session."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.connectors.installed import free_port

NO_DOVECOT = "Dovecot 2.3 is not installed: tests on it are skipped (apt-get install dovecot-imapd)"
PASSWORD = "секретик-7".encode().hex()

_CONF = """
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
first_valid_gid = 0
mail_uid = {user}
mail_gid = {group}
mail_location = maildir:{base}/mail/%u
mail_fsync = never
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {base}/oauth2.ext
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={base}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
_OAUTH = """
introspection_mode = post
introspection_url = http://127.0.0.1:{port}/introspect
active_attribute = active
active_value = true
username_attribute = username
"""


def installed() -> bool:
    """Whether a Dovecot is here whose configuration is that of 2.3."""
    if shutil.which("dovecot") is None:
        return False
    told = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=False).stdout
    return told.startswith("2.3.")


def _account() -> tuple[str, str, dict[str, Any]]:
    """Who it runs as, and arguments for ``subprocess``: it refuses to run as root with this configuration."""
    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid()).pw_name
        group = str(os.getegid())
        with contextlib.suppress(ImportError, KeyError):
            import grp

            group = grp.getgrgid(os.getegid()).gr_name
        return me, group, {}
    return "nobody", "nogroup", {"user": "nobody", "group": "nogroup", "extra_groups": []}


class Dovecot:
    """One running server; any user is let in with ``PASSWORD``."""

    def __init__(self, oauth_port: int) -> None:
        self.user, self.group, self._as = _account()
        self.base = Path(tempfile.mkdtemp(prefix="obmen_dc_"))
        self.port = free_port()
        for name in ("run", "state", "mail"):
            (self.base / name).mkdir()
        values = {
            "base": self.base,
            "user": self.user,
            "group": self.group,
            "port": self.port,
            "password": PASSWORD,
        }
        self.conf = self.base / "dovecot.conf"
        self.conf.write_text(_CONF.format(**values))
        (self.base / "oauth2.ext").write_text(_OAUTH.format(port=oauth_port))
        if self._as:
            for path in [self.base, *self.base.iterdir()]:
                shutil.chown(path, self.user, self.group)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Begin to serve, and wait until it does."""
        command = ["dovecot", "-F", "-c", str(self.conf)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self._as
        )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                if probe.recv(4) == b"* OK":
                    return
            time.sleep(0.05)
        raise RuntimeError((self.base / "dovecot.log").read_text())

    def kill(self) -> None:
        """End it with every connection, at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None

    def stop(self) -> None:
        """End it and remove every trace."""
        self.kill()
        shutil.rmtree(self.base, ignore_errors=True)

    def admin(self, *words: str) -> str:
        """``doveadm``: what an admin of the server does."""
        command = ["doveadm", "-c", str(self.conf), *words]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd="/", timeout=30, **self._as
        )
        return done.stdout

    def drop(self, user: str, name: str, raw: bytes, when: float) -> None:
        """A letter delivered into INBOX as a file, past any protocol: whatever its bytes are, they lie there."""
        box = self.base / "mail" / user
        for folder in (box, box / "cur", box / "new", box / "tmp"):
            if not folder.exists():
                folder.mkdir()
                self._own(folder)
        path = box / "new" / name
        path.write_bytes(raw)
        os.utime(path, (when, when))
        self._own(path)

    def _own(self, path: Path) -> None:
        if self._as:
            shutil.chown(path, self.user, self.group)

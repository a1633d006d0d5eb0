"""Makes an environment beside the project and installs what a lock file pins: the first step of every make target.

Run by any Python 3.11-3.13 with nothing but its standard library::

    python deploy/set_up.py runtime     what `obmen` needs           (requirements.lock)
    python deploy/set_up.py dev         that and the tools of tests  (requirements-dev.lock)
    python deploy/set_up.py bench       the peer of duplicates, in `.venv-bench` (requirements-bench.lock)

Every file is checked against the hashes of the lock; into ``.venv`` the project itself is installed in place, without a
network. A stamp inside says what stands there, so a second call costs a hash and nothing else. The stamp is written
last: a set-up that was cut off is simply done again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 11), (3, 12), (3, 13))
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock", "bench": "requirements-bench.lock"}
VENVS = {"runtime": ROOT / ".venv", "dev": ROOT / ".venv", "bench": ROOT / ".venv-bench"}
FIRST_WORDS = ("Collecting", "Requirement", "Ignoring")  # one such line of pip's per line of the lock


class SetUpFailed(Exception):
    """The set-up cannot go on; the text is the sentence to show."""


def python_of(venv: Path) -> Path:
    """The interpreter inside an environment; the path differs on Windows."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(share: str) -> str:
    """Hex digest of everything that decides what is installed: Python, lock, project file, the packages at the top."""
    digest = hashlib.sha256()
    for name in (LOCKS[share], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    packages = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    digest.update(" ".join([str(ROOT), str(sys.version_info[:2]), *packages]).encode())
    return digest.hexdigest()


def usable(venv: Path) -> bool:
    """Whether ``venv`` holds an interpreter that runs, has pip and is of the version that was asked for."""
    if not python_of(venv).exists():
        return False
    probe = [str(python_of(venv)), "-c", "import sys, pip; print(*sys.version_info[:2])"]
    answer = subprocess.run(probe, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and tuple(map(int, answer.stdout.split())) == sys.version_info[:2]


def make_venv(venv: Path) -> None:
    """A fresh environment of the running interpreter; when that lives in one, of the interpreter it was made from."""
    if sys.version_info[:2] not in SUPPORTED:
        raise SetUpFailed(f"Obmen needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}.")
    shutil.rmtree(venv, ignore_errors=True)
    base = getattr(sys, "_base_executable", sys.executable)
    answer = subprocess.run([base, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
    if answer.returncode:
        shutil.rmtree(venv, ignore_errors=True)  # half a venv would look like a whole one
        hint = "On Debian and Ubuntu: apt install python3-venv"
        raise SetUpFailed(f"Python could not make a virtual environment. {hint}\n{answer.stdout}{answer.stderr}")


def pip_install(venv: Path, arguments: list[str], steps: int, what: str) -> None:
    """Run ``pip install``, one line of progress on the terminal; pip's own words are shown only when it fails."""
    command = [str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
               "--progress-bar", "off", *arguments]  # fmt: skip
    said: list[str] = []
    done = 0
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if line.startswith(FIRST_WORDS):
                done += 1
                tell(f"{what} {min(done, steps)}/{steps}", passing=True)
            elif line.startswith("Installing collected"):
                tell(f"{what} unpacking", passing=True)
    if pip.returncode:
        raise SetUpFailed("pip could not install the packages; its last words:\n" + "".join(said[-25:]))


def tell(text: str, *, passing: bool = False) -> None:
    """One line for the person; a passing one overwrites itself and is left out where nobody watches."""
    if not passing:
        print(("\r\x1b[K" if sys.stdout.isatty() else "") + f"set-up: {text}", flush=True)
    elif sys.stdout.isatty():
        print(f"\r\x1b[Kset-up: {text}", end="", flush=True)


def install(share: str) -> None:
    """Bring the environment to what the lock of ``share`` says and stamp it."""
    lock, venv = LOCKS[share], VENVS[share]
    steps = sum(1 for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if line[:1].isalnum())
    what = f"Python {sys.version.split()[0]}, {steps} packages of {lock}"
    tell(f"{what} go into {venv.name} (the first time takes a minute or two)")
    started = time.monotonic()
    # The lock is complete, so pip has nothing to resolve; `pip check` in the tests proves it.
    pip_install(venv, ["--no-deps", "--require-hashes", "-r", lock], steps, what)
    if venv == VENVS["runtime"]:
        pip_install(venv, ["--no-deps", "--no-build-isolation", "-e", "."], 1, "the project itself")
    for stamped in {"dev": ("runtime", "dev")}.get(share, (share,)):  # the dev lock holds the runtime's
        (venv / f"obmen-{stamped}.stamp").write_text(fingerprint(stamped), encoding="utf-8")
    tell(f"ready in {time.monotonic() - started:.0f} s")


def main(arguments: list[str]) -> int:
    """Exit code 0 when the environment stands as asked, 1 with a sentence when it could not be made."""
    share = arguments[0] if arguments else "runtime"
    if share not in LOCKS:
        print(f"set-up: unknown share {share!r}; there are {', '.join(LOCKS)}", file=sys.stderr)
        return 2
    venv = VENVS[share]
    stamp = venv / f"obmen-{share}.stamp"
    try:
        if stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint(share) and python_of(venv).exists():
            return 0
        if not usable(venv):
            make_venv(venv)
        install(share)
    except SetUpFailed as failure:
        print(f"\nset-up: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Files that travel in parts, and operations in the background. All in memory: no name from the wire is a path.

A transfer is a ZIP cut into pieces of so many kilobytes; the first entry of the archive is the message.
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from stand.onec.enterprise.exchange import Refused
from stand.onec.quirks import Quirks

#: A message unpacks to this many bytes at most; a zip bomb is refused before it fills the memory.
LARGEST = 1024 * 1024 * 1024


def packed(data: bytes, name: str = "data.xml") -> bytes:
    """A ZIP with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def unpacked(data: bytes, largest: int = LARGEST) -> bytes:
    """The first file of a ZIP. ``Refused``: no ZIP, empty, or larger than a message may be."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.infolist()
            if not names:
                raise Refused("Файл архива не содержит данных.")
            with archive.open(names[0]) as entry:
                found = entry.read(largest + 1)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Refused(f"Ошибка при распаковке файла: {error}") from None
    if len(found) > largest:
        raise Refused("Файл архива больше допустимого размера.")
    return found


def cut(data: bytes, kilobytes: float) -> list[bytes]:
    """Pieces of that size; zero keeps it whole."""
    size = int(kilobytes * 1024)
    return [data] if size <= 0 else [data[start : start + size] for start in range(0, len(data), size)]


@dataclass(slots=True)
class Files:
    """Parts on their way in or out, and whole files in the store. Keys are names the other side made up, or ours."""

    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    store: dict[str, bytes] = field(default_factory=dict)

    def put_part(self, name: str, number: int, data: bytes) -> None:
        """Keep a part; one that comes again replaces the earlier one."""
        self.parts.setdefault(name, {})[number] = data

    def offer(self, data: bytes, kilobytes: float) -> tuple[str, int]:
        """Make parts of a file to be fetched: their common name, and how many there are."""
        name, pieces = str(uuid4()), cut(data, kilobytes)
        self.parts[name] = dict(enumerate(pieces, 1))
        return name, len(pieces)

    def part(self, name: str, number: int) -> bytes | None:
        """A part, or ``None``."""
        return self.parts.get(name, {}).get(number)

    def joined(self, name: str, count: int | None = None) -> bytes:
        """The parts in order, as one. ``Refused`` names the part that is missing; the parts are forgotten."""
        found = self.parts.get(name, {})
        last = count if count is not None else max(found, default=0)
        missing = next((number for number in range(1, last + 1) if number not in found), None)
        if missing is not None or not found:
            raise Refused(f"Не найден фрагмент {missing or 1} сессии передачи с идентификатором {name}.")
        del self.parts[name]
        return b"".join(found[number] for number in range(1, last + 1))

    def forget(self, name: str) -> None:
        """Delete the parts of that name, if there are any."""
        self.parts.pop(name, None)


@dataclass(slots=True)
class Operation:
    """``polls``: how often it is still said to be running. ``error``: why it failed."""

    polls: int
    error: str = ""
    file: str = ""
    parts: int = 0

    def state(self) -> str:
        """``Active``, then ``Completed`` or ``Failed``."""
        if self.polls > 0:
            self.polls -= 1
            return "Active"
        return "Failed" if self.error else "Completed"


@dataclass(slots=True)
class Operations:
    """Background jobs. The work is done at once; ``operation_polls`` says how long it seems to go on."""

    quirks: Quirks
    running: dict[str, Operation] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, work: Callable[[Operation], None]) -> str:
        """Do it, and remember how it went; the operation's identifier."""
        operation, name = Operation(self.quirks.operation_polls), str(uuid4())
        try:
            work(operation)
        except Refused as refused:
            operation.error = str(refused)
        self.running[name] = operation
        return name

    def state(self, name: str) -> tuple[str, Operation]:
        """The state of an operation. One that is not known counts as ``Canceled``."""
        with self.lock:
            operation = self.running.get(name.lower())
            return ("Canceled", Operation(0)) if operation is None else (operation.state(), operation)

"""The same messages through a folder that both sides see: ``Message_<from>_<to>.xml`` or ``.zip``.

The base writes under one name and reads the newest file that fits its mask; nothing is renamed or deleted by a read.
Codes of nodes come from the network: they become part of a name only letter by letter, never of a path.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import NamedTemporaryFile

from stand.onec.enterprise.exchange import Refused, Synchronisation
from stand.onec.enterprise.files import LARGEST, packed, unpacked
from stand.onec.enterprise.nodes import Node

_NAME = re.compile(r"[\w-]{1,64}")


class Folder:
    """One base's exchange through one folder. ``zipped``: whether it writes archives."""

    def __init__(self, exchange: Synchronisation, folder: Path, *, zipped: bool = False) -> None:
        self.exchange = exchange
        self.folder = folder
        self.zipped = zipped

    def send(self, node: Node) -> Path:
        """Write the next message for a peer in place of the one before it; the file appears whole or not at all."""
        stem = f"Message_{_safe(self.exchange.code)}_{_safe(node.code)}"
        folder, data = self._folder(), self.exchange.produce(node)
        if self.zipped:
            data = packed(data, f"{stem}.xml")
        with NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as file:
            file.write(data)
        path = folder / f"{stem}{'.zip' if self.zipped else '.xml'}"
        Path(file.name).replace(path)
        return path

    def receive(self, node: Node) -> Path:
        """Take in the newest message of a peer; the file it was in. ``Refused``: none is there, or it is not for us."""
        folder = self._folder()
        mask = re.compile(rf"Message.*_{re.escape(_safe(node.code))}_{re.escape(_safe(self.exchange.code))}\.\w+")
        found = [path for path in folder.iterdir() if mask.fullmatch(path.name) and _message(path, folder)]
        if not found:
            raise Refused("В каталоге обмена информацией не был обнаружен файл сообщения с данными.")
        path = max(found, key=lambda item: item.stat().st_mtime_ns)
        data = path.read_bytes()
        self.exchange.accept(node, unpacked(data) if path.suffix.lower() == ".zip" else data)
        return path

    def _folder(self) -> Path:
        if not self.folder.is_dir():
            raise Refused("Ошибка подключения: Каталог обмена информацией не существует.")
        return self.folder.resolve()


def _safe(code: str) -> str:
    if not _NAME.fullmatch(code):
        raise Refused(f"Код узла «{code}» не может быть частью имени файла.")
    return code


def _message(path: Path, folder: Path) -> bool:
    """Whether it is a file of the folder itself (a link that leads out is none), not empty and not too large."""
    resolved = path.resolve()
    return resolved.parent == folder and resolved.is_file() and 0 < resolved.stat().st_size <= LARGEST

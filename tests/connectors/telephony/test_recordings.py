"""Recordings: a reference never leads out of the folder, and a file is opened only under it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from connectors.telephony.recordings import open_recording, reference
from hub.model.errors import NeedsPerson, SkipRecord
from tests.connectors.telephony.asterisk import InTable, leg

_START = datetime.fromisoformat("2026-11-02T10:00:00")
_MONITOR = "/var/spool/asterisk/monitor"


@pytest.mark.parametrize(
    ("told", "ref"),
    [
        ("in-74951112233-1.wav", "2026/11/02/in-74951112233-1.wav"),
        (f"{_MONITOR}/2026/11/02/in-1.wav", "2026/11/02/in-1.wav"),
        ("/storage/usbdisk1/mikopbx/voicemailarchive/monitor/2026/11/02/10/m.mp3", "2026/11/02/10/m.mp3"),
        ("2026/11/02/in-1.wav", "2026/11/02/in-1.wav"),
        ("../../../../etc/passwd", ""),
        (f"{_MONITOR}/../../../etc/passwd", ""),
        ("/etc/passwd", ""),
        ("..", ""),
        ("a/../../b.wav", ""),
        ("a//b.wav", ""),
        ("..\\..\\secret.wav", ""),
        ("file:///etc/passwd", ""),
        ("a\0b.wav", ""),
    ],
)
def test_references_stay_within_the_folder(told: str, ref: str) -> None:
    """Names and paths of FreePBX and MikoPBX become paths within the folder; what leads elsewhere becomes nothing."""
    assert reference(told, _MONITOR, _START) == ref


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    """A folder of recordings, a secret beside it, and a link in it that leads to the secret."""
    folder = tmp_path / "monitor"
    (folder / "2026" / "11" / "02").mkdir(parents=True)
    (folder / "2026" / "11" / "02" / "in-1.wav").write_bytes(b"RIFF day")
    (folder / "flat.wav").write_bytes(b"RIFF flat")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    return folder


@pytest.mark.parametrize(
    ("ref", "content"), [("2026/11/02/in-1.wav", b"RIFF day"), ("2026/11/02/flat.wav", b"RIFF flat")]
)
def test_a_recording_is_opened(monitor: Path, ref: str, content: bytes) -> None:
    """By the folder of its day, or in the folder itself where all lie flat."""
    with open_recording(str(monitor), ref, "АТС") as file:
        assert file.read() == content


@pytest.mark.parametrize(
    "ref",
    ["../secret.wav", "2026/../../secret.wav", "/etc/passwd", "link.wav", "", ".", "2026", "none.wav", "a\0b", "..\\x"],
)
def test_no_other_file_is_opened(monitor: Path, ref: str) -> None:
    """Dots, absolute paths, links out of the folder, folders and what is not there: refused with an advice."""
    with pytest.raises(SkipRecord) as error:
        open_recording(str(monitor), ref, "АТС")
    assert error.value.code == "calls_recording_missing"
    assert error.value.advice("ru")


def test_from_the_call_to_its_file(tmp_path: Path, monitor: Path) -> None:
    """What a record says of the recording is what the connector opens; without a folder it says which setting lacks."""
    exchange = InTable(f"sqlite:///{tmp_path}/cdr.db", recordings=str(monitor))
    exchange.write(leg("1793602800.1", 1, "2026-11-02T10:00:00", 30, 20, recordingfile="in-1.wav"))
    ((record,), _) = exchange.poll()
    with exchange.connect().fetch_recording(record["recording"]) as file:
        assert file.read() == b"RIFF day"
    exchange.set(recordings="")
    with pytest.raises(NeedsPerson) as error:
        exchange.connect().fetch_recording(record["recording"])
    assert error.value.code == "calls_no_recordings"

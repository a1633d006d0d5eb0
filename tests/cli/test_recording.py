"""`obmen recording` on the calls of a FreePBX: what an admin types, gets and finds in the journal afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Obmen
from tests.cli.recorded_home import SOUND, recorded_home


@pytest.fixture
def calls(obmen: Obmen, home: Path) -> dict[str, str]:
    """An exchanged home; numbers of its calls by their state."""
    recorded_home(home)
    assert obmen("exchange").code == 0
    found = {}
    for number in ("1", "2"):
        cells = obmen("why", "activity", number, "--json").document["result"]["cells"]
        found[next(cell["value"] for cell in cells if cell["path"] == "status")] = number
    return found


def test_a_recording_is_fetched_into_a_file(obmen: Obmen, home: Path, calls: dict[str, str]) -> None:
    """The file is there, the answer names it and the run, and why and status tell who fetched it."""
    target = home / "call.wav"
    done = obmen("recording", calls["held"], "--to", str(target), "--json")
    assert done.code == 0, done.both
    assert target.read_bytes() == SOUND
    result = done.document["result"]
    assert (result["path"], result["size"], result["system"]) == (str(target), len(SOUND), "pbx")
    assert f"запуск № {result['run_id']}" in obmen("why", "activity", calls["held"]).out
    assert "the recording was fetched by" in obmen("why", "activity", calls["held"], "--lang", "en").out
    assert "Запись разговора" in obmen("status").out


def test_what_cannot_be_had_is_told_with_an_advice(obmen: Obmen, home: Path, calls: dict[str, str]) -> None:
    """A missed call, a file that is there, a part that is not, a recording that was deleted: exit codes 1 and 2."""
    there = home / "there.wav"
    there.write_bytes(b"mine")
    for words, code, part in (
        ((calls["missed"], "--to", str(home / "x.wav")), 2, "записи нет"),
        ((calls["held"], "--to", str(there)), 2, "уже есть"),
        ((calls["held"], "--to", str(home / "x.wav"), "--part", "2"), 2, "--part от 1 до 1"),
        ((calls["held"],), 2, "--to"),
        (("777", "--to", str(home / "x.wav")), 2, "777"),
    ):
        said = obmen("recording", *words)
        assert said.code == code, (words, said.both)
        assert part in said.err, (words, said.err)
    (home / "monitor/2026/11/02/in-1.wav").unlink()
    said = obmen("recording", calls["held"], "--to", str(home / "x.wav"))
    assert said.code in {1, 2}
    assert said.err.strip()
    assert there.read_bytes() == b"mine"
    assert not (home / "x.wav").exists()


def test_a_link_out_of_the_folder_of_recordings_opens_nothing(obmen: Obmen, home: Path, calls: dict[str, str]) -> None:
    """A file that was replaced by a link to another one is not handed out."""
    kept = home / "monitor/2026/11/02/in-1.wav"
    kept.unlink()
    kept.symlink_to(home / "secret.wav")
    said = obmen("recording", calls["held"], "--to", str(home / "x.wav"))
    assert said.code != 0
    assert not (home / "x.wav").exists()

"""What the documents tell to type or to copy works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hub.model.settings import load_settings
from mappings.profile import read_profile
from tests.docs.pages import page, pages
from tests.house.source import ROOT

COLLECTIONS = {
    "Catalog": "Справочники",
    "Document": "Документы",
    "Task": "Задачи",
    "AccumulationRegister": "РегистрыНакопления",
    "InformationRegister": "РегистрыСведений",
}


def make_targets() -> set[str]:
    """Targets of the Makefile that are meant for people: those its help tells of, and the set-up."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {*re.findall(r'@echo "make ([a-z-]+)', text), "set-up"}


def test_documented_make_targets_exist() -> None:
    """`make x` in a page is a target of the Makefile."""
    said = {
        name for read in pages() for line in read.code() for name in re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", line)
    }
    assert {"demo", "test", "lock"} <= said
    assert said <= make_targets()


def test_the_makefile_has_what_its_help_says() -> None:
    """A target in the help stands in the file, and the Windows script knows each of them."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [name for name in make_targets() if not re.search(rf"^(?:set-up )?{name}\b.*:", text, re.MULTILINE)] == []
    windows = re.search(r"ValidateSet\(([^)]*)\)", (ROOT / "make.ps1").read_text(encoding="utf-8"))
    assert windows
    assert set(re.findall(r"'([a-z-]+)'", windows[1])) == make_targets() - {"set-up"} | {"help"}


def settings_examples() -> list[tuple[str, str]]:
    """(where, YAML) of every complete hub.yaml that a page or the deploy folder shows."""
    shown = [("deploy/hub.yaml", (ROOT / "deploy/hub.yaml").read_text(encoding="utf-8"))]
    for read in pages():
        shown += [(str(read.path), block) for block in read.blocks("yaml") if "company_timezone:" in block]
    return shown


@pytest.mark.parametrize(("where", "text"), settings_examples())
def test_example_settings_are_accepted(where: str, text: str, tmp_path: Path) -> None:
    """A hub.yaml that is shown as an example is read without a problem."""
    (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path).systems, where


def test_the_example_settings_hold_no_password() -> None:
    """What an admin copies teaches no password in the file."""
    text = (ROOT / "deploy/hub.yaml").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if re.search(r"password: *[^{\s]", line)] == []


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
def test_the_published_composition_is_what_the_profile_reads(name: str) -> None:
    """The code for 1C publishes exactly the objects that the shipped profile maps: none too few, none too many."""
    wanted = set()
    for path in (ROOT / "mappings/onec_ut11").glob("*.yaml"):
        stream = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("stream", "")
        if stream:
            kind, _, what = stream.removesuffix("_RecordType").partition("_")
            wanted.add(f"{COLLECTIONS[kind]}.{what}")
    (block,) = page(name).blocks("bsl")
    assert set(re.findall(r"Метаданные\.([\w.]+)", block)) == wanted


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
@pytest.mark.parametrize(("profile", "title"), [("onec_unf", "нашей фирмой"), ("onec_bp3", "предприятия 3.0")])
def test_the_lists_of_the_others_are_what_their_profiles_read(name: str, profile: str, title: str) -> None:
    """The words of a configuration's paragraph hold every object of its profile, and no other name in one word."""
    wanted = set()
    for path in (ROOT / "mappings" / profile).glob("*.yaml"):
        spec = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        if spec.get("stream") and not spec.get("records"):
            wanted.add(spec["stream"].removesuffix("_RecordType").partition("_")[2])
    text = (ROOT / name).read_text(encoding="utf-8")
    told = text.partition(f"{title} — ")[2].partition("\n\n")[0].partition("\n* ")[0]
    names = {word for part in told.split(":")[1:] for word in re.findall(r"\w+", re.split(r"[.;]", part)[0])}
    assert names == wanted


def test_the_unit_starts_a_command_that_is_there() -> None:
    """The systemd unit runs `obmen up` out of the virtual environment that the set-up makes."""
    unit = (ROOT / "deploy/obmen.service").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=\S+/\.venv/bin/obmen up$", unit, re.MULTILINE)


@pytest.mark.parametrize("name", ["docs/admin.md", "docs/admin.ru.md"])
def test_the_example_overlay_fits_the_shipped_profile(name: str, tmp_path: Path) -> None:
    """The overlay that the page shows adds its one field to the shipped mapping, and no problem."""
    (block,) = [block for block in page(name).blocks("yaml") if block.startswith("fields:")]
    (tmp_path / "counterparty.yaml").write_text(block, encoding="utf-8")
    shipped = {spec.name: spec for spec in read_profile("onec_ut11")}["counterparty"]
    ours = {spec.name: spec for spec in read_profile("onec_ut11", tmp_path)}["counterparty"]
    assert (len(ours.ext), len(ours.fields)) == (len(shipped.ext) + 1, len(shipped.fields))

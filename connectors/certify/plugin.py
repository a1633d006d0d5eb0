"""What pytest loads (entry point ``pytest11``, or ``-p connectors.certify.plugin``).

It lets the asserts of the kit tell what they compared, takes a subject or single points from the command line, and ends
a run in which the kit was used with a line for each connector: certified or not, and at which points.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from connectors.certify.certificate import PROPERTY, Certificate, point_of
from connectors.certify.subject import Subject

#: Neither is imported yet: what is imported before it is marked keeps its bare asserts.
pytest.register_assert_rewrite("connectors.certify.points", "connectors.certify.reading")

_chosen: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's options."""
    group = parser.getgroup("obmen", "certification of connectors")
    group.addoption(
        "--certify",
        metavar="MODULE:SUBJECT",
        default="",
        help="the subject that `pytest --pyargs connectors.certify` certifies",
    )
    group.addoption("--point", action="append", metavar="NAME", help="only this point of the kit (may be repeated)")
    group.addoption("--certificate", metavar="FILE", type=Path, help="write what became of each point there, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a certificate, in the process that reports (a worker of pytest-xdist does not)."""
    _chosen["subject"] = config.getoption("certify")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Certificate(config.getoption("certificate")), "obmen-certificate")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Name the point of each test, and leave out what was not asked for."""
    wanted = config.getoption("point")
    left_out = []
    for item in items:
        point = point_of(item)
        if point is not None:
            item.user_properties.append((PROPERTY, point))
            if wanted and point not in wanted:
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def chosen() -> type[Subject]:
    """The subject of ``--certify``; ``UsageError`` says what is wrong with it."""
    module, _, name = _chosen.get("subject", "").partition(":")
    if not name:
        raise pytest.UsageError("name what is to be certified: --certify package.module:Subject")
    found = getattr(import_module(module), name, None)
    if not (isinstance(found, type) and issubclass(found, Subject)):
        raise pytest.UsageError(f"{module} has no subject {name}")
    return found

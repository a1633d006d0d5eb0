"""What became of each point for each connector, told at the end of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

PROPERTY = "certify"
POINTS = "connectors.certify.points."


def point_of(item: pytest.Item) -> str | None:
    """The point that a test belongs to; ``None`` for a test that is none of the kit's."""
    module = getattr(getattr(item, "function", None), "__module__", "")
    return module.removeprefix(POINTS) if module.startswith(POINTS) else None


@dataclass(slots=True)
class Verdict:
    """One point for one connector: checks passed, tests failed, and how many were left out for which reason."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def note(self, report: pytest.TestReport) -> None:
        """Take one report of a test."""
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            reason = reason.removeprefix("Skipped: ")
            self.left_out[reason] = self.left_out.get(reason, 0) + 1
        elif report.failed:
            self.failed.append(report.nodeid.rpartition("::")[2])
        elif report.when == "call":
            self.passed += 1


class Certificate:
    """Verdicts by connector (the place of its class of tests) and point; a plugin of one run."""

    def __init__(self, file: Path | None) -> None:
        self.found: dict[str, dict[str, Verdict]] = {}
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a report if it is of the kit; with several processes all reports arrive in the first one."""
        for name, point in report.user_properties:
            if name == PROPERTY:
                connector = report.nodeid.rpartition("::")[0]
                self.found.setdefault(connector, {}).setdefault(str(point), Verdict()).note(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell it, and write it to the file that was asked for."""
        if self._file is not None:
            found = {connector: {p: asdict(v) for p, v in points.items()} for connector, points in self.found.items()}
            self._file.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
        if self.found:
            terminalreporter.section("certification")
            for line in self.lines():
                terminalreporter.write_line(line)

    def lines(self) -> Iterator[str]:
        """For each connector whether it is certified, then what failed and what was left out, and why."""
        for connector, points in self.found.items():
            failed = [point for point, verdict in points.items() if verdict.failed]
            checks = sum(verdict.passed for verdict in points.values())
            said = f"NOT certified, fails at {', '.join(failed)}" if failed else f"certified by {checks} checks"
            named = ", ".join(point for point, verdict in points.items() if not (verdict.passed or verdict.failed))
            yield f"{connector}: {said}{f', nothing tried at {named}' if named else ''}"
            for point, verdict in points.items():
                yield from (f"  {point}: failed {name}" for name in verdict.failed)
                yield from (f"  {point}: {number} left out, {why}" for why, number in verdict.left_out.items())

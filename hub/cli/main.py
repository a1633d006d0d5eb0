"""The ``obmen`` command: parse, do, tell, and end with the exit code that the outcome deserves."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from hub.cli import (
    activity,
    card,
    check,
    conflicts,
    demo,
    duplicates,
    held,
    init,
    merge,
    parser,
    pausing,
    pins,
    plan,
    push,
    quarantine,
    recording,
    rules,
    status,
    system,
    trouble,
    undo,
    up,
    why,
    work,
)
from hub.cli.call import DONE, INTERRUPTED, WRONG, Call, Outcome, language
from hub.model.errors import HubError, exit_code

MODULES = (
    demo,
    init,
    check,
    rules,
    work,
    plan,
    push,
    why,
    card,
    activity,
    recording,
    pins,
    undo,
    merge,
    duplicates,
    status,
    quarantine,
    held,
    conflicts,
    pausing,
    system,
    up,
)


def build(lang: str) -> click.Group:
    """The whole command line, with its help in ``lang``."""
    return parser.group(lang, [command for module in MODULES for command in module.commands(lang)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Nothing the admin did wrong gives a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    call = Call(lang=language(arguments), as_json="--json" in arguments)
    _prepare_output(call.as_json)
    try:
        return _guarded(arguments, call)
    except BrokenPipeError:  # who read our output has had enough
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for the interpreter's last flush
        return DONE
    finally:
        trouble.stop_logging()


def _prepare_output(as_json: bool) -> None:
    """JSON is UTF-8 wherever it goes; a terminal that lacks a letter shows a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
            if as_json:
                reconfigure(encoding="utf-8")


def _guarded(arguments: list[str], call: Call) -> int:
    try:
        outcome = build(call.lang).main(arguments, prog_name="obmen", obj=call, standalone_mode=False)
    except click.UsageError as error:
        sentence, advice = parser.complaint(error, call.lang)
        return _refuse(call, WRONG, {"code": "call", "sentence": sentence, "advice": advice}, [sentence, advice])
    except (KeyboardInterrupt, click.Abort):
        lines = [call.text("interrupted")]
        return _refuse(call, INTERRUPTED, {"code": "interrupted", "sentence": lines[0], "advice": ""}, lines)
    except HubError as error:
        told = trouble.as_dict(error, call.lang)
        return _refuse(call, exit_code(error), told, trouble.as_lines(error, call.lang))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last stop: a sentence for the admin, the traceback for developers
        path = trouble.write_crash(call.home, call.command, error)
        lines = [call.text("crash", kind=type(error).__name__, path=path)]
        return _refuse(call, WRONG, {"code": "crash", "sentence": lines[0], "advice": "", "log": str(path)}, lines)
    return _tell(call, outcome)


def _refuse(call: Call, exit_code: int, error: dict[str, object], lines: Sequence[str]) -> int:
    if call.as_json:
        call.emit({"exit_code": exit_code, "error": error})
    print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201
    return exit_code


def _tell(call: Call, outcome: Outcome | int | None) -> int:
    """Show what a command hands back; click gives a bare number after ``--help`` and ``--version``."""
    if not isinstance(outcome, Outcome):
        return outcome or DONE
    if call.as_json and outcome.data:
        call.emit({"exit_code": outcome.exit_code, "result": outcome.data})
    elif not call.as_json and outcome.lines:
        call.say(*outcome.lines)
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main())

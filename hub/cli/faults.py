"""What is wrong with the lines of a file that came back, in words and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hub.cli.call import Call
from hub.cli.trouble import as_dict, as_lines

if TYPE_CHECKING:
    from hub.exchange.decisions import Fault


class Read(Protocol):
    """Lines taken apart."""

    mistakes: list[Fault]
    late: list[Fault]
    undecided: int


def fault_data(call: Call, checked: Read) -> dict[str, Any]:
    """For machines."""

    def data(faults: Sequence[Fault]) -> list[dict[str, Any]]:
        return [{"row": one.row, **as_dict(one.error, call.lang)} for one in faults]

    return {"mistakes": data(checked.mistakes), "late": data(checked.late), "undecided": checked.undecided}


def fault_lines(call: Call, checked: Read) -> list[str]:
    """In words."""
    lines = []
    for name, faults in (("mistakes", checked.mistakes), ("late", checked.late)):
        lines += [call.text(f"import_{name}", number=len(faults))] if faults else []
        for one in faults:
            reason = " ".join(as_lines(one.error, call.lang))
            lines.append(call.text("import_fault", row=one.row, reason=reason))
    return lines + ([call.text("import_open", number=checked.undecided)] if checked.undecided else [])

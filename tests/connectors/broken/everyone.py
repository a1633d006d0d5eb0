"""All of them: a connector is in the register once its module is imported."""

from tests.connectors.broken import reads, troubled, writes
from tests.connectors.broken.registry import BROKEN, tests

__all__ = ["BROKEN", "reads", "tests", "troubled", "writes"]

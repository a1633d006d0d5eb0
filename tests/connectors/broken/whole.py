"""Each broken connector against the whole kit. Run by ``test_broken.py``."""

from connectors.certify.kit import Kit
from tests.connectors.broken.everyone import tests

globals().update(tests(lambda caught: (Kit,)))

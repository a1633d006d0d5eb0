"""Each broken connector against the point that its defect belongs to. Run by ``test_broken.py``."""

from connectors.certify.kit import POINTS, Foundation
from tests.connectors.broken.everyone import tests

globals().update(tests(lambda caught: (Foundation, POINTS[caught.at])))

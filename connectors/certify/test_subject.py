"""Certifies the subject of ``--certify`` without a test file of its own: ``pytest --pyargs connectors.certify``."""

from __future__ import annotations

from connectors.certify.kit import Kit
from connectors.certify.plugin import chosen


class TestSubject(Kit):
    """The subject that was named."""

    subject_type = chosen()

"""Obmen: the exchange hub. Floors and what may import what: ``docs/architecture.md``."""

__version__ = "0.1.0"

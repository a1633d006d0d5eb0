"""The call records of a small telephone exchange, made and filled: calls of clients of the 1C stand."""

from stand.pbx.calls import KINDS, Exchange
from stand.pbx.make import OWN, add_call, build_pbx

__all__ = ["KINDS", "OWN", "Exchange", "add_call", "build_pbx"]

"""The database of a small CRM, made and filled: an existing CRM for the demo and for tests."""

from stand.crm.make import SHARED_WITH, build_crm

__all__ = ["SHARED_WITH", "build_crm"]

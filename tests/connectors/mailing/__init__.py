"""Mailing lists, on a real GNU Mailman."""

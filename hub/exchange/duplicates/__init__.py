"""Duplicates of clients: each change judged at once, everything judged at night, what to do about it."""

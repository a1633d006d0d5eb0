"""Calls of telephone exchanges, read from the database or the files that they keep of each call."""

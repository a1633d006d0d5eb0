"""Tests that hold the house itself: sizes, texts, floors, lock files."""

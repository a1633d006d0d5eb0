"""Duplicates: finding, merging, explaining, undoing. Nothing stands here yet."""

"""Duplicates of a whole base at once: polars normalises, DuckDB joins and scores, clusters are made of the edges
alone.
"""

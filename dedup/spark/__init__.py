"""Duplicates of a base that one machine does not hold: Spark joins what ``dedup.batch`` joins, to the same edges and
clusters. Asks for the extra ``spark`` and Java 17 or later.
"""

"""Duplicates of clients: normal forms, keys, scores, clusters and their explanation."""

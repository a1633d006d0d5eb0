"""Connectors that are broken on purpose, each in one way, over the in-memory one: what the kit must find.

``at_its_point.py`` and ``whole.py`` certify them; ``test_broken.py`` beside this runs these and reads the verdicts.
"""

"""Alembic's folder: ``env.py`` runs the scripts in ``versions``; ``hub.store.schema`` calls it."""

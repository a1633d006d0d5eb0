"""The ``obmen`` command: what an admin can do in the UI, with the same services and the same journal."""

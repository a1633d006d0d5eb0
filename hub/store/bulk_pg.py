"""PostgreSQL's side of ``bulk``: COPY, and one set-based statement."""

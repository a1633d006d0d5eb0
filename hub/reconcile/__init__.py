"""Floor 3: comparisons of what the store holds with what it should hold. Knows nothing of Dagster.

``checks.look_at`` is what the Dagster checks and the command call.
"""

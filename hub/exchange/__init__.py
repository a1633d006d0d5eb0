"""Floor 3: the exchange. ``service`` is what the command and Dagster call; the rest are its parts."""

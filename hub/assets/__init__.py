"""Floor 4: what Dagster shows and runs. An asset or a check asks one service and tells its answer, nothing more."""

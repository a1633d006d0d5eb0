"""Floor 1: code that speaks one kind of system's protocol and knows nothing of the store or of Dagster."""

"""Jobs, schedules, sensors and partitions: what starts an exchange in Dagster, and for which days."""

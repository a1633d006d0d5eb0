"""Floor 4: partitions, jobs and schedules. When what runs; what it does stands in ``hub.assets``."""

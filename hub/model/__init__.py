"""Floor 0: the canonical model, records as they travel, errors and settings. Imports nothing of the house."""

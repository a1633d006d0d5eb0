"""Floor 2: mappings are data (YAML, one folder per profile); the compiler beside them turns them into fast functions."""

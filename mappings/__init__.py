"""Floor 2: mappings are data (YAML, one folder per profile); the compiler beside them makes fast functions of them."""

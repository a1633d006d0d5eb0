"""Floor 2: deciding. Pure functions of what is known and what comes in; no I/O, no clock, no logging."""

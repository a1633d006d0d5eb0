"""Floor 1: the central store. Tables, migrations, the bulk path and the journal of exchanges."""

"""A connector of a stranger: what an author outside this repository writes."""

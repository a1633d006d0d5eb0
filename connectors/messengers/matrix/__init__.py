"""Matrix over its client-server API: what is said in the rooms that an account of ours is in."""

"""Connector of kind ``mailing``: who is subscribed to which mailing list, both ways."""

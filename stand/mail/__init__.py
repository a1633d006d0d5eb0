"""A mail server for the demo and for tests: IMAP4rev1 on the loopback, with letters of the clients of the 1C stand."""

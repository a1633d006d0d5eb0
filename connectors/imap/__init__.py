"""Mailboxes over IMAP: read only, by what the server offers, letters decoded as they are written in the real world."""

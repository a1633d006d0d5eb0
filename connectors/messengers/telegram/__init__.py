"""Telegram over its Bot API: what is written to a bot, and in groups that it is in.

From the service's own description; not tried against the live service.
"""

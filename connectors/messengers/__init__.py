"""Connector of kind ``messenger``: what clients and the company write to each other in Telegram and Matrix."""

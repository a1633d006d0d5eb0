"""Messengers: Telegram on a fake, Matrix on a real server."""

"""Calendars: real servers of CalDAV on loopback, recorded shapes of the clouds."""

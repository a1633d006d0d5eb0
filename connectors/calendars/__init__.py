"""Calendars and task lists: CalDAV both ways, ICS feeds one way, Google Calendar and Microsoft Graph."""

"""The calendar of a manager who meets the clients of the 1C stand, filled into any CalDAV server or served itself."""

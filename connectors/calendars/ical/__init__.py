"""iCalendar (RFC 5545) as far as the exchange needs it: a text read into a record, a record's changes put into it."""

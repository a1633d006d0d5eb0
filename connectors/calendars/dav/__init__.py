"""CalDAV (RFC 4791, 6578, 6638): plain WebDAV over the HTTP library of the house."""

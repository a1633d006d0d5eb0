"""CommerceML: here the base is the HTTP client and the site is the server.

``site`` speaks the protocol, ``catalog`` and ``orders`` make and read the documents, ``session`` does a whole exchange.
"""

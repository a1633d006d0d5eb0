"""Floor 3, around the engine: a record with all that systems say of it, read from the store and written back.

A *card* is one canonical record as the engine sees it: its cells, its links, their contributions, pins and open
conflicts. ``layout`` makes cells of rows and rows of cells, ``refs`` knows which record a link names, ``card`` reads
cards and locks them, ``receive`` lets records arrive, ``ledger`` writes what became of them, ``match`` finds the card
that a new record belongs to, ``owed`` notes what is to be sent.

Records that only one system speaks of never come here: the bulk path decides them by comparing rows.
"""

"""Floor 2: deciding. Pure functions of what is known and what comes in; no I/O, no clock, no logging.

**Cells.** A record is a flat mapping of *paths* to values in travelling form. A root field is ``name``, a cell of a
one-row child ``person_detail.last_name``; a row of a set is a cell of its own, ``contact_point[phone,79001234567,]``,
whose value is the whole row (a tuple) and ``None`` where the row is not there; the lines of a document are one cell,
``sales_order_line``, a tuple of rows. ``cells.lay`` makes a mapping from rows, ``cells.lift`` makes rows again.

**Contributions.** Each link has one: ``own`` (what the system said of its own accord, with the interval in which it
said so), ``shown`` (what it shows now), ``sent`` (for cells *we* wrote: the golden value that what it shows stands
for). What we wrote is never that system's vote. ``codec`` makes the row of the store from it and back.

**Time.** A moment is a whole second since 1970, UTC; "changed at" is a pair of them. Nothing here knows the time.

**The way of a record**, each step a function of its arguments::

    incoming   what a system shows now, against shown      -> its new contribution and the edits
    conflicts  the edits, against what was owed before     -> what a person decides; those cells are held
    resolve    all contributions, policies, pins, holds    -> golden cells: value, rule that won, what lost
    outgoing   golden, against sent                        -> what is owed to one link
    confirmed  what was meant, against the read-back       -> the contribution after a write, and what was refused

``arrive`` joins the first three in the one right order. ``policies`` says who may win, ``matrix`` holds the defaults,
``budget`` and ``loops`` are the brakes. ``decide`` is the shortcut of the bulk path: what these functions give for a
record with a single contributor, without a contribution.
"""

"""Floor 3: duplicates are put together, and taken apart again.

A merge is soft: it moves links to one record and leaves a redirect. What readers then see is ``resolve`` over the
contributions of all links, documents follow because they name links, and what is owed is ``outgoing``. Undone, the
links go back, and the same two functions tell what each record is and what is to be put right elsewhere.

``judgements`` keeps what persons say of pairs, ``vetoes`` what speaks against a merge, ``moves`` moves the rows of the
store inside one transaction, ``log`` knows what was merged and split. The services are ``merge``, ``unmerge`` and
``split``; each is first a plan: the very same work, rolled back at its end.
"""

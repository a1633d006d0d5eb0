"""What the emulated base publishes, in a compact notation that ``stand.onec.model`` reads.

One block per object; the first line names it, and for registers says what kind it is. Then ``Name:type`` words:

``g`` guid of something not published · ``@Set`` guid of a published object (property ``X_Key``) · ``*A|B`` composite
reference (``X`` and ``X_Type``; only the published types are listed) · ``b`` boolean · ``n`` fractional number ·
``i16`` ``i64`` whole numbers · ``d`` date · ``e`` value of an enumeration · ``s`` ``s25`` string, with its length when
it is known · ``f4`` string of fixed length, padded with blanks · ``t`` unlimited text, which 1C cannot compare.

``+Name`` opens a tabular part; ``dim`` / ``res`` / ``att`` the dimensions, resources and attributes of a register,
``dim/`` and ``res/`` those that an accounting register keeps for each side, ``ext`` its chart of accounts, its chart of
kinds of analytics and what these may be. A line that begins with ``?`` holds guessed names.
"""

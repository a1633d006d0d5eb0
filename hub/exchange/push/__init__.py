"""Sending what is owed: outbox rows are leased, decided anew, written, read back, and settled.

Told as a story, and what holds it together at each step: the row is *leased* (another process leaves it alone). What
its record shows now is *fetched* and arrives like any other record, so that an edit made meanwhile is not written
over. What is owed then is *decided*, and kept in the row as ``meant`` before a request leaves: killed from here on, the
next one knows what may have been written. The connector *writes* and reads back; what it shows arrives again, and
seeing what was meant is its confirmation, whoever sees it first, this run or the next night's reading. Then the row is
*settled*: gone when nothing is owed any more, else it waits, fails with a reason, or is unknown until somebody looks.
"""

"""What follows from letters, calls, messages and meetings: whose they are, how they hang together, leads, and whom to
call back.

``follow`` is the one way in: whoever moves an activity or a client's contacts calls it in the same transaction. What
stands in the tables of ``hub.store.comms_tables`` is a function of activities, contacts and persons' words, whatever
came first; only leads and tasks are made when something happens.
"""

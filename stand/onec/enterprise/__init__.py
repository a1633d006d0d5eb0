"""EnterpriseData: messages with numbers, and the ways they travel (SOAP, HTTP service, file folder).

``objects`` and ``outgoing`` say what the base tells of its records, ``incoming`` writes what others tell, ``message``
is the envelope, ``nodes`` who has been told what, ``exchange`` ties them together; ``soap``, ``dsl`` and ``folder``
carry.
"""

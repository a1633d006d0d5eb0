"""A stand for a 1C:Enterprise trade base served over the standard OData interface.

It behaves as a real one is reported to behave, awkward parts included; it is not 1C. Started by
``python -m stand.onec`` or, in a test, by ``stand.onec.server.OneCStand``.
"""

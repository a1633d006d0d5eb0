"""Normal forms: what two writings of one thing share. ``record`` does one record, ``frame`` a whole frame, to the
same result.
"""

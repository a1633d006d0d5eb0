"""Tests; a package, so that folders named like libraries (``tests/dagster``) hide none of them."""

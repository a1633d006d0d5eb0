"""The certification of connectors, as a pytest plugin that ships with the product: see docs/connectors.md.

``subject`` describes what stands behind a connector, ``kit`` is the class of tests, ``points`` holds the tests by
point, ``plugin`` is what pytest loads. Nothing else of the product imports this package: only authors of connectors
need pytest.
"""

"""1C:Enterprise over its standard OData interface (OData v3 as 1C speaks it).

``urls`` builds addresses, ``transport`` sends, ``answers`` tells what came back, ``rows`` and ``paging`` make pages of
it, ``atom`` reads change feeds, ``metadata`` the schema; ``connector`` is what the rest of the house sees.
"""

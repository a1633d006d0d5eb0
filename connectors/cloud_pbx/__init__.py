"""Connector of kind ``pbx_cloud``: calls of rented telephone exchanges, and recordings of them."""

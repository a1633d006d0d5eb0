"""Connector of kind ``pbx_cloud``: calls of telephone exchanges that are rented as a service, and recordings of them."""

"""Tables and views of any database that SQLAlchemy speaks, as one more system of the exchange: an existing CRM."""

"""What a person reads about the exchange, made from the journal; counts and reasons only, no personal data."""

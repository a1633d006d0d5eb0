"""Google Calendar and Microsoft 365: written against their published pages, not tried against the live service.

What is recorded in the tests is the shape of requests and answers as documented; nobody has run this with an account.
"""

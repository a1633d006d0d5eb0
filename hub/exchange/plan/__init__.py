"""Plans: what an exchange would do, found by doing it where nobody sees it, saved to be read, and carried out later.

``rehearsal`` runs the same exchange on a copy of the store, with connectors that write nothing. ``items`` makes a plan
of what it left behind, ``file`` keeps it, ``make`` puts these together. ``apply`` carries a plan out: ``batch`` the
records that systems would tell, ``sending`` what systems would be told, each only if it is still what the plan shows.
"""

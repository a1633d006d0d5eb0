"""Emulators of the systems that Obmen talks to. They stand in for a real one in the demo and in tests, and say so."""

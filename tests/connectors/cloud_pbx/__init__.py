"""Tests of cloud telephone exchanges. No live service was ever asked: every server here is a fake on loopback."""

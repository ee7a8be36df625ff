"""Checks a running gateway from outside, as its owner: what it should refuse is tried."""

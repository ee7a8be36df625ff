"""Loads models before the first client asks: one tiny request to each."""

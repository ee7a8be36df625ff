"""The metrics and the values that their labels may have."""

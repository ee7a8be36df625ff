"""Timeouts of attempts: how long a deployment may take to connect, to begin, to continue and to finish."""

"""Timeouts of attempts: how long a deployment may take to connect, to begin, to go on and to finish."""

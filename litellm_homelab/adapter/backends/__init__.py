"""Backends as the running gateway knows them: which deployment is on which, and whether each is there."""

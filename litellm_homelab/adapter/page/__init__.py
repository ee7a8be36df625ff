"""The page's facts: gathered here when it is asked for, from all workers and the store."""

"""The page's facts: gathered here, shared by workers through the store."""

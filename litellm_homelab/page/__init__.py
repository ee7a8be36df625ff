"""The page: what is shown of a running gateway, made from facts that are handed in."""

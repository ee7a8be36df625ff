"""Ways round a gateway's policy: one file each, replayed by one runner against any gateway."""

"""Every file that is read, and what is wrong with it."""

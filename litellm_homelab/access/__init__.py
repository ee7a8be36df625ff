"""Who is calling, and which routes they may use."""

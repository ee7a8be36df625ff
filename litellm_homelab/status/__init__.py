"""What a running gateway says of itself, for a terminal."""

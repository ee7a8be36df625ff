"""What travels: ids, events, prompts."""

"""What a client may send, by route: every request field passes, is dropped or is refused."""

"""What ordinary clients send by default, and that it is served."""

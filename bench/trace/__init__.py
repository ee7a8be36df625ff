"""What one request of each kind costs, in calls and opcodes instead of time: `python -m bench trace`."""

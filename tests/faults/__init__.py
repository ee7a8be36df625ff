"""What fails around a running gateway, one test for each fault; `table.py` makes docs/faults.md of them."""

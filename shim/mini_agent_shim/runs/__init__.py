"""What the shim keeps of its runs, and those that are in progress."""

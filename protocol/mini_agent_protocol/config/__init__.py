"""What an operator sets in files."""

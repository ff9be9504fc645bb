"""What any HTTP client here needs: which addresses are public, bounded exchanges, backoff."""

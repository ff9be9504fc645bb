"""`mini-agent doctor`: what all parts need, whether it is there, and what to do where it is not."""

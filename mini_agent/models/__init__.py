"""Models that are called through LiteLLM."""

"""Models that LiteLLM reaches."""

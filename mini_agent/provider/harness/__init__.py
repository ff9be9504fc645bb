"""LiteLLM's own sandbox interface over our sidecar."""

"""The provider `mini-agent` inside LiteLLM."""

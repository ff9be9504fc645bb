"""What the assistant may do: rules of settings, modes, and what a call touches."""

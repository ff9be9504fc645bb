"""A stand-in for Ollama: its command and server, with a scripted model behind them."""

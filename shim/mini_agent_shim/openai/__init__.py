"""The run as a model of OpenAI's: chat completions, responses, and the list of models."""

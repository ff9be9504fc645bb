"""Tools: what the model can call, and where the calls are carried out."""

"""Tools: what the model can call, and the invokers that execute the calls."""

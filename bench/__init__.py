"""How fast the sandbox platform is, and whether it does what it says, on the machine at hand."""

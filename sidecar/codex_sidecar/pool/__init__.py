"""The pool: warm containers, leases of them, and their removal."""

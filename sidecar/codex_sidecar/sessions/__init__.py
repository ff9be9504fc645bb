"""Sandboxes that are kept between snippets."""

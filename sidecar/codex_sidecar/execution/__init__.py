"""Executions: which run when, and the self-test."""

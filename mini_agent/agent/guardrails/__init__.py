"""Guardrails, which keep a run moving or end it: stagnation, evasion, research, escalation."""

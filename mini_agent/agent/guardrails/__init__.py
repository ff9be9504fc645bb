"""What keeps a run moving, or ends it: stagnation, evasion, research, escalation."""

"""Sessions: sandboxes and a workspace that outlive a snippet."""

"""What both ends of a wire share: the library, the shim and the sidecar."""

"""What the library, the shim and the sidecar share: models of the wire, errors and formats."""

"""HTTP plumbing: authentication, middleware, bodies, event streams, problems."""

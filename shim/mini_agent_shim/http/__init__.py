"""HTTP plumbing: authentication, middleware, problems, tracing."""

"""Our sandboxes as other frameworks' own: each module needs the framework that it is for."""

"""Inside the engine process: requests in, events out, one inference thread."""

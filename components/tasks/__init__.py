"""The working halves of tasks, one module a kind, as `protocol.TaskWork` says."""

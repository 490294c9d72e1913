"""The implementations of tasks, one module a kind, each as `protocol.TaskWork` defines."""

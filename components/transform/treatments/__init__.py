"""The implementations of treatments, one module a kind, each as `protocol.Treatment` defines."""

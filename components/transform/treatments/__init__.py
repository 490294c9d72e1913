"""The working halves of treatments, one module a kind, as `protocol.Treatment` says."""

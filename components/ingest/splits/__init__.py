"""The working halves of splits, one module a kind, as `protocol.Splitter` says."""

"""The `gategrad` command."""

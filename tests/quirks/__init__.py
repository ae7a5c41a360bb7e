"""What registries and the Hub do differently: a table for each, and a registry with switches."""

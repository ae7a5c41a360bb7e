"""Real traffic under damage: a broken way, a registry that dies, a client that is stopped."""

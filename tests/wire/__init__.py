"""The two APIs as they are spoken, over real loopback sockets."""

"""What strangers send, and what must not be told to strangers."""

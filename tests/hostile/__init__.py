"""Untrusted input, and what must not be told to others."""

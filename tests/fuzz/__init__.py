"""Untrusted input, made up by a machine: targets, their seeds, and a coverage-guided fuzzer.

``python -m tests.fuzz --seconds 60`` looks for inputs that break a target; ``tests/hostile``
replays what it ever found.
"""

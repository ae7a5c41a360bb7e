"""What users would pick, a module each; a function per job prepares and returns the work.

The work returns what it found: ``layers`` and ``labels`` are counted, so that no contender is fast
by doing less. Images that are not read as frames are read as parsed JSON, which flatters them.
"""

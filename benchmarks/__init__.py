"""What hubframe costs, beside what users would pick instead: ``python -m benchmarks``.

Every contender runs in a process of its own, in turn with the others, against a registry that the
run starts and fills itself. Nothing here is part of the package, and no test looks at a time.
"""

"""Does a server that has run for long hold more memory, files or threads than a new one?

    python -m benchmarks.soak
    python -m benchmarks.soak --seconds 60

Clients of many kinds, good, bad and slow, send requests concurrently; meanwhile its model is
retrained and replaced, models are trained in its playground and cancelled, and other verbs run.
"""

"""Does a server that has worked for long hold more memory, files or threads than one that has not?

    python -m benchmarks.soak
    python -m benchmarks.soak --seconds 60

Clients of many kinds ask at once, good, bad and slow ones; meanwhile its model is trained anew and
replaced, models are trained in its playground and cancelled, and the other verbs run beside it.
"""

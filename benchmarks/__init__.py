"""clearcnn beside other libraries: one file for each question, asked in fresh processes.

`make benchmark` asks them all and writes `docs/benchmarks.md`.
"""

"""Compare clearcnn with other libraries: one file for each question, run in fresh processes.

`make benchmark` runs them all and writes `docs/benchmarks.md`.
"""

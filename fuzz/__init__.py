"""Every reader against input that nobody should trust.

`targets/` has one file for each reader: valid contents to begin with, and what must hold of any
content whatever: an answer that makes sense, or a `ClearCNNError`. Hypothesis mutates the contents
in the tests (`mutations.py`), atheris searches for more (`python -m fuzz`, see `make fuzz`), and
`worst/` has the inputs that cost most. Nothing in `src/` knows of this.
"""

"""The inputs that cost a reader most: bombs, endless lines, shapes of a quintillion.

One file for each kind of reader, each with its `CASES`. `python -m fuzz.worst` says what each one
takes; the tests hold them to bounds.
"""

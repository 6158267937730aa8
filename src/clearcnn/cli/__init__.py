"""The command line: one file per verb, which parses, calls a workflow, prints and exits."""

"""One file per verb: parse, call a workflow, print, exit."""

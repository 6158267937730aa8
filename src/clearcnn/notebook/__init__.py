"""What people see in IPython: results, and progress, as in the terminal and in the report."""

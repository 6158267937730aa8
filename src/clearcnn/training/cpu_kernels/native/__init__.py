"""The sources of the compiled kernels, what builds them, and where they are built: the library."""

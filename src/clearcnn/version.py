"""The version of clearcnn, its one source."""

__version__ = "0.1.0"

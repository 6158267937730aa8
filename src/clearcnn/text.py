"""Text that came from outside, made safe to show."""


def printable(text: str) -> str:
    """Write control characters as escapes, so that no file or class name can steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)

"""Text that came from outside, made safe to show, and to write into tables."""


def printable(text: str) -> str:
    """Write control characters as escapes, so that no file or class name can steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def escape(text: str) -> str:
    """Write a cell of a table so that no two texts are written alike.

    As `printable`; besides, a backslash is doubled, and a space at either end, which readers of
    tables strip, becomes an escape. Within quotation marks Python reads the text back.
    """
    inside = text.strip(" ")
    start = len(text) - len(text.lstrip(" "))
    spaces = [r"\x20" * number for number in (start, len(text) - start - len(inside))]
    return spaces[0] + printable(inside.replace("\\", r"\\")) + spaces[1]

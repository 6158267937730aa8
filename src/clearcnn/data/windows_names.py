"""Names that Windows cannot give to a file."""

import re

_LETTERS = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]) *(\..*)?", re.IGNORECASE)


def is_device_name(name: str) -> bool:
    """Whether Windows takes a name for a device, such as CON or aux.png."""
    return _DEVICES.fullmatch(name) is not None


def is_valid_on_windows(name: str) -> bool:
    """Whether Windows keeps a name of a file or folder as it is.

    With a colon, it would write a hidden stream of another file; dots and blanks at the end, it
    would drop.
    """
    return not (_LETTERS.search(name) or name.endswith((".", " ")) or is_device_name(name))

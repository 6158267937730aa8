"""Shares in percent, spelled the same on every surface."""


def percent(fraction: float, decimals: int = 1) -> str:
    """Format a share in percent without its sign, such as "97.2".

    More decimals are used where rounding would give 0 or 100 for a share that is neither.
    """
    value = 100 * fraction
    while decimals < 6 and _rounds_to_a_bound(value, decimals):
        decimals += 1
    return f"{value:.{decimals}f}"


def _rounds_to_a_bound(value: float, decimals: int) -> bool:
    # An end of an interval can exceed its bound by rounding.
    near = 1e-7
    return (round(value, decimals) == 100 and value < 100 - near) or (
        round(value, decimals) == 0 and value > near
    )

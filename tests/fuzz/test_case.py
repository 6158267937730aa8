"""The measuring itself: it must tell what takes too much."""

import time

from fuzz.worst.case import Case, measure

from clearcnn.errors import DataError


def _refuse(_: bytes) -> None:
    raise DataError("It is broken.", remedy="Mend it.")


def test_a_case_tells_time_memory_and_outcome() -> None:
    taken = measure(Case(lambda: b"", lambda _: time.sleep(0.2), is_refused=False))
    assert taken.said == "read"
    assert taken.seconds >= 0.2
    large = measure(Case(lambda: b"", lambda _: bytearray(2**29).count(1), is_refused=False))
    assert large.peak_bytes - taken.peak_bytes > 2**28
    assert measure(Case(lambda: b"", _refuse)).said == "It is broken. Mend it."
    assert measure(Case(lambda: b"", lambda _: None)).said == "! it was read"
    assert (
        measure(Case(lambda: b"", lambda _: 1 / 0)).said == "! ZeroDivisionError: division by zero"
    )
    assert measure(Case(lambda: b"", lambda _: bytes(2**40))).said.startswith("! MemoryError")

"""How long does an honest client wait while a server is attacked?

    python -m benchmarks.attacks runs/digits
    python -m benchmarks.attacks runs/digits --seconds 8 --only send_scans go_away

Each attack of tests/web/test_attacks.py runs in three clients at once, against its own server.
Meanwhile one honest client sends a small PNG to /predict, on a new connection each time. Printed is
a row of the table in docs/reliability.md: the 99th percentile of the response time, the statuses,
and the server's peak memory. Clients and server share the machine's cores.
"""

import argparse
import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from tests.web.test_attacks import ATTACKS, Attacker, black_png

from benchmarks.serving import serve

_MEMORY = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)
_SECONDS_BETWEEN_LOOKS = 0.5


def go_on(attack: Callable[[Attacker], None], attacker: Attacker) -> None:
    """Attack until the end."""
    while attacker.goes_on:
        with contextlib.suppress(OSError):
            attack(attacker)
    attacker.close()


def ask(address: str, until: float) -> tuple[list[float], Counter[str], float]:
    """Send requests as an honest client.

    Args:
      address: of the server.
      until: the end, by the monotonic clock.
    Returns:
      Milliseconds of each request, ascending; statuses; the server's peak memory in MB.
    """
    file = BytesIO()
    Image.new("L", (120, 120)).save(file, "PNG")
    took, statuses, most, looked = [], Counter[str](), 0.0, 0.0
    while time.monotonic() < until:
        begin = time.monotonic()
        answer = httpx.post(
            f"{address}/predict",
            content=file.getvalue(),
            headers={"Content-Type": "image/png"},
            timeout=300,
        )
        took.append(1000 * (time.monotonic() - begin))
        statuses[str(answer.status_code)] += 1
        if begin - looked > _SECONDS_BETWEEN_LOOKS:
            looked = begin
            found = _MEMORY.search(httpx.get(f"{address}/metrics", timeout=300).text)
            most = max(most, float(found[1]) / 1e6 if found else 0.0)
    return sorted(took), statuses, most


def main() -> None:
    """Run each attack, and print a row for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--only", nargs="*", help="names of attacks")
    arguments = parser.parse_args()
    for side in (1500, 5000):  # Created first, so that the attacks begin together.
        black_png(side)
    for attack in ATTACKS:
        if arguments.only and attack.__name__ not in arguments.only:
            continue
        with serve(arguments.run) as address:
            attackers = [Attacker(int(address.rpartition(":")[2])) for _ in range(3)]
            until = time.monotonic() + arguments.seconds
            threads = []
            for attacker in attackers:
                attacker.until = until
                threads.append(threading.Thread(target=go_on, args=(attack, attacker)))
                threads[-1].start()
            took, statuses, most = ask(address, until)
            for thread in threads:
                thread.join()
        answers = ", ".join(f"{count} × {status}" for status, count in statuses.items())
        slow = took[int(0.99 * len(took))]
        print(f"| {attack.__name__} | {slow:,.0f} ms ({answers}) | {most:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()

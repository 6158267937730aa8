import threading
import time

from clearcnn.data.memory_semaphore import MemorySemaphore


def test_no_more_is_lent_than_there_is():
    room, held, most = MemorySemaphore(10), [], []

    def hold(units: int) -> None:
        with room.take(units):
            held.append(units)
            most.append(sum(held))
            time.sleep(0.002)
            held.remove(units)

    # What is larger than the whole room is let in alone.
    threads = [threading.Thread(target=hold, args=(units,)) for units in [4, 7, 3, 12, 1] * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(most) == len(threads)
    assert max(most) == 12
    assert not held

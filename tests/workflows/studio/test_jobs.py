"""Jobs that begin while others do."""

import threading
from contextlib import suppress

import pytest

from clearcnn.errors import StudioError
from clearcnn.workflows.studio.jobs import Jobs

pytestmark = pytest.mark.process


class JobsOfTwoTabs(Jobs):
    """Another tab asks for a measurement at the moment when one has been ended for a job."""

    def __init__(self, measurement):
        super().__init__()
        self.other = threading.Thread(target=self._measure, args=(measurement,))

    def _measure(self, measurement):
        with suppress(StudioError):  # The job of the first tab was there before it.
            self.begin(measurement)

    def _end_measurement(self):
        super()._end_measurement()
        if threading.current_thread() is threading.main_thread():
            self.other.start()
            self.other.join(1)


def test_a_job_is_not_refused_for_a_measurement_that_begins_beside_it(tmp_path):
    work = {"folder": str(tmp_path), "by_group": False, "recipe": "default", "seed": 1}
    jobs = JobsOfTwoTabs({"kind": "pace", **work})
    try:
        begun = jobs.begin({"kind": "look", **work})
        assert jobs.latest is begun
    finally:
        jobs.other.join()
        jobs.close()

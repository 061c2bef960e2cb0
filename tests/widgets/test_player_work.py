"""Work beside the kernel goes on, whatever a job does."""

import pytest

from rushes.widgets.player_work import Worker


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_fails_ends_its_thread_and_not_the_work():
    done = []
    worker = Worker("test", rest=lambda: done.append("rested"), rest_s=0.01)
    worker.put(lambda: 1 // 0)
    assert worker.idle(5)
    worker.put(lambda: done.append("worked"))
    assert worker.idle(5)
    assert worker.wait(5)
    assert done == ["worked", "rested"]

"""Jobs outlive the server, and none is told to have ended otherwise than it did."""
import signal
import time

from job_world import jobs  # noqa: F401 (a fixture)


def await_file(path, seconds=60):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def test_a_job_alive_when_the_server_was_killed_is_found_again(jobs):
    job = jobs.submit(jobs.image, "echo early; sleep 4; echo late; exit 3")
    jobs.await_line(job, "early")
    jobs.cloud.stop(signal.SIGKILL)
    jobs.cloud.start()
    found = jobs.await_end(job)
    assert found["state"] == "JOB_STATE_FAILED"
    assert "exited with a non-zero status of 3" in found["error"]["message"]
    assert [line for line in jobs.lines(job) if line in ("early", "late")] == ["early", "late"]


def test_a_job_that_ended_while_no_server_ran_has_its_true_result(jobs):
    job = jobs.submit(jobs.image, "echo early; sleep 2; echo late")
    jobs.await_line(job, "early")
    jobs.cloud.stop(signal.SIGKILL)
    await_file(jobs.cloud.data / "tasks" / job / "status.json")
    jobs.cloud.start()
    assert jobs.await_end(job)["state"] == "JOB_STATE_SUCCEEDED"
    assert [line for line in jobs.lines(job) if line in ("early", "late")] == ["early", "late"]


def test_an_image_that_is_not_there_fails_the_job_with_its_name(jobs):
    job = jobs.submit("example.com/none:9", "true")
    found = jobs.await_end(job)
    assert found["state"] == "JOB_STATE_FAILED"
    assert "example.com/none:9" in found["error"]["message"]


def test_a_job_sees_its_own_metadata_server_and_nothing_else(jobs):
    job = jobs.submit(
        jobs.image,
        "M=http://metadata.google.internal/computeMetadata/v1; "
        "wget -q -O - --header 'Metadata-Flavor: Google' $M/project/project-id; echo; "
        "wget -q -O - --header 'Metadata-Flavor: Google' $M/instance/service-accounts/default/email; echo; "
        "nc -w 2 1.1.1.1 443 </dev/null || echo sealed")
    assert jobs.await_end(job)["state"] == "JOB_STATE_SUCCEEDED"
    lines = jobs.lines(job)
    assert jobs.project in lines and "sealed" in lines
    assert any(line.endswith("gserviceaccount.com") for line in lines), lines

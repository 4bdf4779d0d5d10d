"""The first steps as an ordinary user, over a server of that user's own."""
import uuid

import pytest


@pytest.mark.client("gcloud", "env")
@pytest.mark.client("gcloud", "sealed")
def test_a_project_an_api_and_an_account(user_cloud, gcloud, mode):
    project = f"user-{mode}-{uuid.uuid4().hex[:8]}"
    user_cloud.run(gcloud, "projects", "create", project, mode=mode)
    user_cloud.run(gcloud, "services", "enable", "aiplatform.googleapis.com", f"--project={project}", mode=mode)
    user_cloud.run(gcloud, "iam", "service-accounts", "create", "ml-trainer", f"--project={project}", mode=mode)
    email = f"ml-trainer@{project}.iam.gserviceaccount.com"
    found = user_cloud.json(gcloud, "iam", "service-accounts", "describe", email, "--format=json", mode=mode)
    assert found["email"] == email
    token = user_cloud.run(gcloud, "auth", "print-access-token", f"--impersonate-service-account={email}", mode=mode)
    assert token.stdout.startswith("ya29.c.")

"""Replays tests/transcripts: what each served method answers, to the letter.

A transcript is a text file of exchanges:

    # documented: https://cloud.google.com/iam/docs/...
    POST https://iam.googleapis.com/v1/projects/$PROJECT/serviceAccounts
    {"accountId": "trainer"}

    200
    {
      "name": "projects/$PROJECT/serviceAccounts/..."
    }

separated by lines of "---". The tag says where the answer is from: `recorded`
from the real service, `documented` by its pages or its client's source, or
`guessed`. Exchanges of a file run in order, in a project of the file's own.
$NAME stands for what the run decides; times, numbers, etags and secrets are
compared by their kind. BRUME_RECORD=1 writes what is answered now (look at the
difference before you commit it).
"""
import collections
import json
import os
import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent.parent
FOLDER = TOP / "tests/transcripts"
FILES = sorted(FOLDER.glob("*/*.txt"))
TAGS = ("recorded", "documented", "guessed")

Exchange = collections.namedtuple("Exchange", "tag method url body status reply")

KINDS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"ya29\.[\w.-]+", "<token>"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<jwt>"),
    (r"\b[0-9a-f]{40}\b", "<key id>"),
    (r"\b\d{16,21}\b", "<digits>"),
    (r"\b\d{12}\b", "<number>"),
]
ETAGS = re.compile(r'("etag": )"(?:[^"\\]|\\.)*"')
SECRETS = re.compile(r'("(?:privateKeyData|publicKeyData|signedBlob|keyId|nextPageToken)": )"[^"]*"')


def parse(path):
    exchanges = []
    for block in path.read_text().split("\n---\n"):
        lines = block.strip().split("\n")
        assert lines[0].startswith("# "), f"{path}: an exchange begins with '# TAG'"
        tag = re.split(r"[: ]", lines[0][2:])[0]
        assert tag in TAGS, f"{path}: '{tag}' is none of {TAGS}"
        method, url = lines[1].split(" ", 1)
        request, _, answer = "\n".join(lines[2:]).partition("\n\n")
        if not request.startswith(("{", "[")):  # no body: the answer follows a blank line at once
            request, answer = "", "\n".join(lines[2:]).lstrip("\n")
        status, _, reply = answer.partition("\n")
        exchanges.append(Exchange(lines[0], method, url, request, status.strip(), reply.strip()))
    return exchanges


class World:
    """What the variables stand for."""

    def __init__(self, cloud, token, name):
        self.cloud, self.token = cloud, token
        self.values = {"PROJECT": "t-" + re.sub(r"[^a-z0-9]+", "-", name.lower())[-24:].strip("-")}

    def expand(self, text):
        return re.sub(r"\$([A-Z_]+)", lambda match: self.values[match.group(1)], text)

    def shrink(self, text):
        for name, value in sorted(self.values.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(value, "$" + name)
        text = ETAGS.sub(r'\1"<etag>"', text)
        text = SECRETS.sub(r'\1"<secret>"', text)
        for pattern, kind in KINDS:
            text = re.sub(pattern, kind, text)
        return text

    def ask(self, method, url, body):
        url = self.expand(url)
        command = ["curl", "-sS", "-X", method, "-w", "\n%{http_code}", "-H", "Content-Type: application/json",
                   "-H", f"Authorization: Bearer {self.token}", url]
        if body:
            command += ["--data-binary", self.expand(body)]
        output = self.cloud.run(*command).stdout
        reply, _, status = output.rpartition("\n")
        try:
            document = json.loads(reply)
        except json.JSONDecodeError:
            return status, reply.strip(), None
        return status, json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True), document

    def learn(self, document):
        """Names that later exchanges need."""
        if not isinstance(document, dict):
            return
        name = document.get("name", "")
        for pattern, variable in ((r"^operations/.*", "OPERATION"), (r".*/operations/\d+$", "OPERATION"),
                                  (r".*/customJobs/(\d+)$", "JOB"), (r".*/keys/([0-9a-f]+)$", "KEY")):
            match = re.match(pattern, name)
            if match and variable not in self.values:
                self.values[variable] = match.group(1) if match.groups() else name
        if "projectNumber" in document:
            self.values["NUMBER"] = document["projectNumber"]


@pytest.fixture(scope="module")
def owner_token(cloud):
    return _token(cloud)


def _token(cloud):
    program = ("import json,os,urllib.parse,urllib.request;"
               "user=json.load(open(os.environ['GOOGLE_APPLICATION_CREDENTIALS']));"
               "form={'grant_type':'refresh_token',**{k:user[k] for k in "
               "('client_id','client_secret','refresh_token')}};"
               "print(json.load(urllib.request.urlopen('https://oauth2.googleapis.com/token',"
               "urllib.parse.urlencode(form).encode()))['access_token'])")
    return cloud.run("python3", "-c", program).stdout.strip()


@pytest.mark.client("curl", "env")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_answers_are_the_transcripts(cloud, owner_token, path):
    world = World(cloud, owner_token, path.stem)
    status, _, document = world.ask(
        "POST", "https://cloudresourcemanager.googleapis.com/v1/projects", '{"projectId": "$PROJECT"}')
    _, _, document = world.ask("GET", "https://cloudresourcemanager.googleapis.com/v1/projects/$PROJECT", "")
    world.learn(document)
    blocks = []
    for exchange in parse(path):
        status, reply, document = world.ask(exchange.method, exchange.url, exchange.body)
        world.learn(document)
        got = world.shrink(reply)
        if os.environ.get("BRUME_RECORD"):
            body = exchange.body + "\n" if exchange.body else ""
            blocks.append(f"{exchange.tag}\n{exchange.method} {exchange.url}\n{body}\n{status}\n{got}\n")
            continue
        assert (status, got) == (exchange.status, exchange.reply), f"{exchange.method} {exchange.url}"
    if blocks:
        path.write_text("---\n".join(blocks))

"""One call of a Google API as the signed-in owner, with Python's standard
library alone: rest.py METHOD URL [JSON]. Prints the reply; exit code 1 and the
status on stderr when it is an error."""
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


def call(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read().decode()
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code} {error.read().decode()}")


def token():
    with open(os.environ["GOOGLE_APPLICATION_CREDENTIALS"], encoding="utf-8") as file:
        user = json.load(file)
    form = {"grant_type": "refresh_token", **{key: user[key] for key in (
        "client_id", "client_secret", "refresh_token")}}
    reply = call(urllib.request.Request(
        "https://oauth2.googleapis.com/token", urllib.parse.urlencode(form).encode()))
    return json.loads(reply)["access_token"]


def main():
    method, url = sys.argv[1:3]
    body = sys.argv[3].encode() if len(sys.argv) > 3 else None
    print(call(urllib.request.Request(url, body, method=method, headers={
        "Authorization": "Bearer " + token(), "Content-Type": "application/json"})))


main()

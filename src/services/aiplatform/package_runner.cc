#include "services/aiplatform/package_runner.h"

namespace brume::services::aiplatform {
namespace {

// argv: COUNT URI... MODULE ARG... Its lines are those that Vertex AI's own
// runner prints. The object is read with the job's own identity; "gsutil" is
// named as there, and is not needed.
constexpr std::string_view kRunner = R"py(
import json, os, subprocess, sys, urllib.error, urllib.parse, urllib.request

def say(text):
    print(text, flush=True)

def token():
    request = urllib.request.Request(
        "http://metadata.google.internal/computeMetadata/v1/instance/"
        "service-accounts/default/token", headers={"Metadata-Flavor": "Google"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["access_token"]

def download(uri, path):
    bucket, _, name = uri[len("gs://"):].partition("/")
    url = "https://storage.googleapis.com/storage/v1/b/%s/o/%s?alt=media" % (
        urllib.parse.quote(bucket, safe=""), urllib.parse.quote(name, safe=""))
    request = urllib.request.Request(
        url, headers={"Authorization": "Bearer " + token()})
    with urllib.request.urlopen(request, timeout=60) as reply, open(path, "wb") as out:
        while True:
            piece = reply.read(1 << 20)
            if not piece:
                break
            out.write(piece)

def run(command):
    say("Running command: " + " ".join(command))
    code = subprocess.call(command)
    if code != 0:
        say("Command '%s' returned non-zero exit status %d" % (command, code))
        sys.exit(code if code > 0 else 128 - code)

count = int(sys.argv[1])
uris, module, args = sys.argv[2:2 + count], sys.argv[2 + count], sys.argv[3 + count:]
say("Running module %s." % module)
for uri in uris:
    say("Downloading the package: " + uri)
    name = uri.rsplit("/", 1)[-1]
    say("Running command: gsutil -q cp %s %s" % (uri, name))
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), "vertex-packages")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    try:
        download(uri, path)
    except urllib.error.HTTPError as error:
        say("CommandException: cannot download %s: %d %s" % (
            uri, error.code, error.read(2000).decode("utf-8", "replace")))
        sys.exit(1)
    say("Installing the package: " + uri)
    pip = [sys.executable, "-m", "pip"]
    run(pip + ["install", "--user", "--upgrade", "--force-reinstall",
               "--no-deps", path])
    run(pip + ["install", "--user", path])
command = [sys.executable, "-m", module] + args
say("Running command: " + " ".join(command))
sys.stdout.flush()
os.execv(sys.executable, command)
)py";

}  // namespace

std::vector<std::string> PackageRunnerCommand(
    const std::vector<std::string>& package_uris, std::string_view module,
    const std::vector<std::string>& args) {
  std::vector<std::string> command = {"python3", "-c", std::string(kRunner),
                                      std::to_string(package_uris.size())};
  command.insert(command.end(), package_uris.begin(), package_uris.end());
  command.emplace_back(module);
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

}  // namespace brume::services::aiplatform

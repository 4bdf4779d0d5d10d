#include "config/setting.h"

#include "base/str_cat.h"

namespace brume::config {
namespace {

using enum SettingKind;

std::vector<Setting> MakeTable() {
  return {
      {.name = "allow-host",
       .env = "BRUME_ALLOW_HOST",
       .kind = kList,
       .metavar = "HOST",
       .help = "Answer direct requests under this name too, besides loopback."},
      {.name = "bucket",
       .kind = kText,
       .metavar = "BUCKET",
       .help = "Where a job's script goes and its output is written; default: "
               "PROJECT-training, made when it is not there."},
      {.name = "daemon",
       .letter = 'd',
       .kind = kSwitch,
       .help = "Run in the background; returns when the server answers."},
      {.name = "data",
       .env = "BRUME_DATA",
       .kind = kPath,
       .metavar = "DIR",
       .help = "The data folder; default: $XDG_DATA_HOME/brume or "
               "~/.local/share/brume."},
      {.name = "display-name",
       .kind = kText,
       .metavar = "NAME",
       .help = "The job's name for people; default: the script's."},
      {.name = "env",
       .kind = kList,
       .metavar = "NAME=VALUE",
       .help = "A variable of the job's environment."},
      {.name = "follow",
       .letter = 'f',
       .kind = kSwitch,
       .help = "Print the job's lines until it ends; exit code 1 when it "
               "fails."},
      {.name = "fresh",
       .kind = kSwitch,
       .help = "Make it anew even when an earlier one is kept."},
      {.name = "image",
       .env = "BRUME_IMAGE",
       .kind = kText,
       .metavar = "IMAGE",
       .fallback = "us-docker.pkg.dev/vertex-ai/training/"
                   "sklearn-cpu.1-6:latest",
       .help = "The container image to train in."},
      {.name = "json",
       .kind = kSwitch,
       .help = "Print JSON instead of a table."},
      {.name = "log-level",
       .env = "BRUME_LOG_LEVEL",
       .kind = kChoice,
       .metavar = "LEVEL",
       .fallback = "info",
       .help = "The least important log lines that are written.",
       .choices = {"debug", "info", "warn", "error"}},
      {.name = "long",
       .letter = 'l',
       .kind = kSwitch,
       .help = "Show sizes and times."},
      {.name = "machine-type",
       .kind = kText,
       .metavar = "TYPE",
       .fallback = "n1-standard-4",
       .help = "The machine to ask for."},
      {.name = "markdown",
       .kind = kSwitch,
       .help = "Print the page of docs/ that says the same."},
      {.name = "mirror",
       .env = "BRUME_MIRROR",
       .kind = kText,
       .metavar = "URL",
       .help = "The Debian archive from which stand-in images are made."},
      {.name = "name",
       .kind = kText,
       .metavar = "NAME",
       .help = "Store the image under this name instead of the archive's."},
      {.name = "of",
       .kind = kText,
       .metavar = "RUN",
       .help = "Only what this run did: a name of 'brume status', or job/ID."},
      {.name = "offline",
       .env = "BRUME_OFFLINE",
       .kind = kSwitch,
       .help = "Refuse every host that Brume does not serve."},
      {.name = "port",
       .env = "BRUME_PORT",
       .kind = kPort,
       .metavar = "N",
       .fallback = "9443",
       .help = "The port on 127.0.0.1; 0 picks one and writes it into the data "
               "folder."},
      {.name = "project",
       .env = "BRUME_PROJECT",
       .kind = kText,
       .metavar = "ID",
       .help = "The project of the command; default: what its gcloud "
               "configuration says."},
      {.name = "recursive",
       .letter = 'r',
       .kind = kSwitch,
       .help = "Take folders and prefixes with all that is in them."},
      {.name = "region",
       .env = "BRUME_REGION",
       .kind = kText,
       .metavar = "REGION",
       .fallback = "us-central1",
       .help = "Where jobs run."},
      {.name = "script",
       .kind = kPath,
       .metavar = "FILE",
       .help = "A Python file to run in the image; what follows -- are its "
               "arguments."},
      {.name = "sealed",
       .kind = kSwitch,
       .help = "Give the command a network of its own in which there is only "
               "Brume: for programs that ignore proxy variables."},
      {.name = "service-account",
       .kind = kText,
       .metavar = "NAME",
       .help = "Run as this service account (name or e-mail): a metadata "
               "server speaks for it, as on a machine in the cloud."},
      {.name = "unset",
       .kind = kSwitch,
       .help = "Print the commands that take the variables away again."},
      {.name = "upstream-proxy",
       .env = "BRUME_UPSTREAM_PROXY",
       .kind = kText,
       .metavar = "URL",
       .help = "The proxy through which other hosts are reached; default: "
               "HTTPS_PROXY as it is when the server starts."},
  };
}

std::string DefaultOf(const Setting& setting) {
  if (!setting.fallback.empty()) {
    return base::StrCat("`", setting.fallback, "`");
  }
  return setting.kind == kSwitch ? "off" : "";
}

}  // namespace

const std::vector<Setting>& SettingTable() {
  static const auto* const table = new std::vector<Setting>(MakeTable());
  return *table;
}

const Setting* FindSetting(std::string_view name) {
  for (const Setting& setting : SettingTable()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string SettingsMarkdown() {
  std::string out =
      "# Settings\n\n"
      "A flag is stronger than its environment variable, that is stronger "
      "than the default. Made from `src/config/setting.cc` by `brume settings "
      "--markdown`; a test compares.\n\n"
      "| flag | environment | default | what |\n| --- | --- | --- | --- |\n";
  for (const Setting& setting : SettingTable()) {
    base::StrAppend(&out, "| `--", setting.name,
                    setting.metavar.empty() ? "" : " ", setting.metavar, "`");
    if (setting.letter != 0) {
      base::StrAppend(&out, ", `-", std::string(1, setting.letter), "`");
    }
    out += " | ";
    if (!setting.env.empty()) base::StrAppend(&out, "`", setting.env, "`");
    base::StrAppend(&out, " | ", DefaultOf(setting), " | ", setting.help);
    if (!setting.choices.empty()) {
      out += " One of";
      for (const std::string_view choice : setting.choices) {
        base::StrAppend(&out, " `", choice, "`");
      }
      out += ".";
    }
    out += " |\n";
  }
  return out;
}

}  // namespace brume::config

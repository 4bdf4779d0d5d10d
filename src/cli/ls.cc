#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/cloud_client.h"
#include "cli/cloud_path.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>

namespace brume::cli {
namespace {

namespace json = boost::json;
using client::StorageClient;

// Prints as it goes: a bucket may be large.
class Listing {
 public:
  Listing(bool as_json, bool details) : json_(as_json), details_(details) {}

  void Bucket(const std::string& name) {
    if (json_) {
      rows_.push_back(json::object{{"bucket", name}});
    } else {
      Print(base::StrCat("gs://", name, "/\n"));
    }
  }
  void Prefix(const std::string& bucket, const std::string& prefix) {
    if (json_) {
      rows_.push_back(json::object{{"bucket", bucket}, {"prefix", prefix}});
    } else {
      Print(base::StrCat(details_ ? std::string(34, ' ') : "", "gs://", bucket,
                         "/", prefix, "\n"));
    }
  }
  void Object(const client::ObjectInfo& object) {
    if (json_) {
      rows_.push_back(json::object{{"bucket", object.bucket},
                                   {"name", object.name},
                                   {"size", object.size},
                                   {"updated", object.updated},
                                   {"generation", object.generation},
                                   {"crc32c", object.crc32c},
                                   {"contentType", object.content_type}});
      return;
    }
    std::string left;
    if (details_) {
      std::string size = std::to_string(object.size);
      if (size.size() < 10) size.insert(0, 10 - size.size(), ' ');
      left = base::StrCat(size, "  ", object.updated.substr(0, 19), "Z  ");
    }
    Print(base::StrCat(left, "gs://", object.bucket, "/", object.name, "\n"));
  }
  void Finish() {
    if (json_) PrintJson(rows_);
  }

 private:
  const bool json_;
  const bool details_;
  json::array rows_;
};

absl::Status ListPath(StorageClient& storage, const CloudPath& path,
                      bool recursive, Listing& out) {
  bool found = false;
  const auto visit = [&](StorageClient::Item item) {
    found = true;
    if (item.object.has_value()) {
      out.Object(*item.object);
    } else {
      out.Prefix(path.bucket, item.prefix);
    }
    return absl::OkStatus();
  };
  std::string prefix = path.object;
  if (!prefix.empty() && !prefix.ends_with('/')) {
    // An object of that very name, or what lies below it.
    const absl::StatusOr<client::ObjectInfo> object =
        storage.Get(path.bucket, prefix);
    if (object.ok()) {
      out.Object(*object);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(object.status())) return object.status();
    prefix += '/';
  }
  RETURN_IF_ERROR(
      storage.List(path.bucket, prefix, recursive ? "" : "/", visit));
  if (found || path.object.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      base::StrCat("list '", path.Text(), "': nothing is there"));
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const auto session,
                   CloudSession::Open(invocation, "brume-ls"));
  ASSIGN_OR_RETURN(const auto client, session->NewClient());
  Listing out(invocation.values.Switch("json"),
              invocation.values.Switch("long"));
  std::vector<std::string> operands = invocation.values.operands();
  if (operands.empty()) {
    if (session->project().empty()) {
      return absl::FailedPreconditionError(
          "list buckets: of which project? Name one with --project");
    }
    RETURN_IF_ERROR(client->storage().ListBuckets(session->project(),
                                                  [&](const std::string& name) {
                                                    out.Bucket(name);
                                                    return absl::OkStatus();
                                                  }));
  }
  for (const std::string& operand : operands) {
    ASSIGN_OR_RETURN(const CloudPath path, ParseCloudPath(operand));
    if (!path.remote) {
      return absl::InvalidArgumentError(
          base::StrCat("list '", operand, "': it is not in the cloud"));
    }
    RETURN_IF_ERROR(ListPath(client->storage(), path,
                             invocation.values.Switch("recursive"), out));
  }
  out.Finish();
  return 0;
}

}  // namespace

Command LsCommand() {
  return {.name = "ls",
          .summary = "List the buckets of a project, or what is in a bucket.",
          .example =
              "  brume ls\n"
              "  brume ls -l gs://my-bucket/models/",
          .operands = "[gs://BUCKET[/PREFIX]]...",
          .settings = {"long", "recursive", "json", "project", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli

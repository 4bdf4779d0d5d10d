#include "services/runs/run_registry.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

namespace brume::services::runs {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kTokenDigits = 32;

std::string RunKey(std::string_view name) {
  return store::Key("run").Add(name).str();
}

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

bool TokenFits(const brume::runs::Run& run, std::string_view token) {
  const std::string digest = Sha256(token);
  return run.token_sha256().size() == digest.size() &&
         CRYPTO_memcmp(run.token_sha256().data(), digest.data(),
                       digest.size()) == 0;
}

// It goes into a URL and into records.
bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunRegistry>> RunRegistry::Create(
    Options options) {
  auto registry = std::unique_ptr<RunRegistry>(new RunRegistry(options));
  absl::MutexLock lock(&registry->mutex_);
  absl::Status parsed;
  RETURN_IF_ERROR(options.kv->Snapshot()->Scan(
      store::KeyRange::Prefix(store::Key("run").str()),
      [&](std::string_view, std::string_view value) {
        brume::runs::Run run;
        if (!run.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          parsed = absl::DataLossError(
              "read runs: a record is broken; restore the data folder");
          return false;
        }
        registry->runs_[run.name()] = std::move(run);
        return true;
      }));
  RETURN_IF_ERROR(parsed);
  return registry;
}

absl::Status RunRegistry::Store(const brume::runs::Run& run) {
  return options_.kv->Transact([&](store::KvTransaction& txn) {
    return txn.Put(RunKey(run.name()), run.SerializeAsString());
  });
}

absl::StatusOr<RunRegistry::Registered> RunRegistry::Register(
    const NewRun& new_run) {
  if (!IsLabel(new_run.label)) {
    return absl::InvalidArgumentError(
        base::StrCat("register run '", new_run.label,
                     "': a name has letters, digits, '.', '_' and '-', at most "
                     "63 of them"));
  }
  Registered out;
  out.token = base::RandomHex(kTokenDigits);
  brume::runs::Run run;
  {
    absl::MutexLock lock(&mutex_);
    out.name = new_run.label;
    const auto known = runs_.find(out.name);
    if (new_run.lasting && known != runs_.end() &&
        TokenFits(known->second, new_run.token)) {
      out.token = new_run.token;
    }
    if (!new_run.lasting) {
      do {
        out.name = base::StrCat(new_run.label, "-", base::RandomHex(4));
      } while (runs_.contains(out.name));
    }
    run.set_name(out.name);
    run.set_token_sha256(Sha256(out.token));
    run.set_offline(new_run.offline);
    run.set_lasting(new_run.lasting);
    run.set_pid(new_run.pid);
    run.mutable_started()->set_seconds(
        absl::ToUnixSeconds(options_.clock->Now()));
    run.set_account(new_run.account);
    run.set_project(new_run.project);
    runs_[out.name] = run;
  }
  const absl::Status stored = Store(run);
  if (!stored.ok()) {
    absl::MutexLock lock(&mutex_);
    runs_.erase(out.name);
    return stored;
  }
  return out;
}

absl::Status RunRegistry::Unregister(std::string_view name) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = runs_.find(name);
    if (found == runs_.end()) return absl::OkStatus();
    runs_.erase(found);
  }
  return options_.kv->Transact(
      [&](store::KvTransaction& txn) { return txn.Delete(RunKey(name)); });
}

absl::StatusOr<brume::runs::Run> RunRegistry::Authenticate(
    std::string_view name, std::string_view token) const {
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(name);
  if (found == runs_.end() || !TokenFits(found->second, token)) {
    return absl::UnauthenticatedError(
        base::StrCat("authenticate run '", name,
                     "': no such run or another token; start the command with "
                     "'brume run' again"));
  }
  return found->second;
}

absl::StatusOr<brume::runs::Run> RunRegistry::Find(
    std::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(name);
  if (found == runs_.end()) {
    return absl::NotFoundError(
        base::StrCat("find run '", name, "': there is none of that name"));
  }
  return found->second;
}

std::vector<brume::runs::Run> RunRegistry::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<brume::runs::Run> out;
  out.reserve(runs_.size());
  for (const auto& [name, run] : runs_) out.push_back(run);
  return out;
}

absl::Status RunRegistry::DropEnded(
    const std::function<bool(int64_t pid)>& is_alive) {
  for (const brume::runs::Run& run : List()) {
    if (run.lasting() || is_alive(run.pid())) continue;
    RETURN_IF_ERROR(Unregister(run.name()));
  }
  return absl::OkStatus();
}

}  // namespace brume::services::runs

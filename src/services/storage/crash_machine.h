#pragma once

#include "base/clock.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/bucket_store.h"
#include "services/storage/generations.h"
#include "services/storage/keys.h"
#include "services/storage/object_store.h"
#include "services/storage/resumable_uploads.h"
#include "store/blob/file_blob_store.h"
#include "store/fs/crash_file_system.h"
#include "store/kv/rocks_kv_store.h"

#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

// A machine that runs Cloud Storage on both stores and can lose its power, and
// clients that remember what they were promised. For crash tests.
namespace brume::services::storage {

class CrashMachine {
 public:
  absl::Status Start() {
    ASSIGN_OR_RETURN(kv, store::RocksKvStore::Create({"/kv", &disk}));
    ASSIGN_OR_RETURN(blobs,
                     store::FileBlobStore::Create({"/blob", &disk, kv.get()}));
    ASSIGN_OR_RETURN(generations_, Generations::Create(kv.get(), &clock_));
    buckets =
        std::make_unique<BucketStore>(BucketStore::Options{kv.get(), &clock_});
    objects = std::make_unique<ObjectStore>(
        ObjectStore::Options{.kv = kv.get(),
                             .blobs = blobs.get(),
                             .clock = &clock_,
                             .generations = generations_.get(),
                             .freed = [this] { (void)blobs->Collect(); }});
    uploads = std::make_unique<ResumableUploads>(ResumableUploads::Options{
        kv.get(), blobs.get(), objects.get(), &clock_});
    return absl::OkStatus();
  }

  // Nobody may be calling. `seed`: what the disk keeps of the unsynced.
  absl::Status PowerCut(std::optional<uint64_t> seed) {
    disk.Crash();
    uploads.reset();
    objects.reset();
    buckets.reset();
    generations_.reset();
    blobs.reset();
    kv.reset();
    disk.Restart(seed);
    return Start();
  }

  absl::Status MakeBucket() {
    brume::storage::Bucket bucket;
    bucket.set_name("bkt");
    return buckets->Insert({bucket, "p", 1}).status();
  }
  static brume::storage::Object Named(std::string_view name) {
    brume::storage::Object object;
    object.set_bucket("bkt");
    object.set_name(std::string(name));
    return object;
  }
  absl::Status Put(std::string_view name, std::string_view bytes) {
    PayloadWriter writer(blobs.get());
    RETURN_IF_ERROR(writer.Append(bytes));
    ASSIGN_OR_RETURN(Payload payload, writer.Finish());
    return objects->Insert({.object = Named(name)}, std::move(payload))
        .status();
  }
  // "(none)" when there is no such object; an error in its words.
  std::string Get(std::string_view name) {
    absl::StatusOr<OpenedObject> opened = objects->Open("bkt", name, 0, {});
    if (absl::IsNotFound(opened.status())) return "(none)";
    if (!opened.ok()) return opened.status().ToString();
    std::string bytes = opened->bytes;
    if (opened->file) {
      bytes.resize(opened->file->size);
      (void)!::pread(opened->file->fd.get(), bytes.data(), bytes.size(), 0);
    }
    // What is shown must be what is there.
    if (Crc32cToText(Crc32c(0, bytes)) != opened->object.crc32c()) {
      return "(torn)";
    }
    return bytes;
  }

  // What breaks the books: files nobody owns, or owners without a file. "".
  std::string Books() {
    const absl::Status collected = blobs->Collect();
    if (!collected.ok()) return collected.ToString();
    absl::StatusOr<ListReply> list =
        objects->List({.bucket = "bkt", .max_results = 100000});
    if (!list.ok()) {
      return absl::IsNotFound(list.status()) ? "" : list.status().ToString();
    }
    size_t large = 0;
    for (const auto& object : list->items) {
      if (object.size() > kInlineLimit) ++large;
      if (const std::string bytes = Get(object.name()); bytes == "(torn)") {
        return base::StrCat("torn: ", object.name());
      }
    }
    size_t parked = 0;
    const absl::Status scanned = kv->Snapshot()->Scan(
        AllUploads(), [&](std::string_view, std::string_view row) {
          brume::storage::UploadRecord record;
          record.ParseFromArray(row.data(), static_cast<int>(row.size()));
          parked += record.suspended().empty() ? 0 : 1;
          return true;
        });
    if (!scanned.ok()) return scanned.ToString();
    size_t files = 0;
    for (const std::string& path : disk.Files()) {
      files += path.starts_with("/blob/") ? 1 : 0;
    }
    // Copies share a file, and no test here copies large objects.
    if (files != large + parked) {
      return base::StrCat(files, " files for ", large, " objects and ", parked,
                          " uploads");
    }
    return "";
  }

  store::CrashFileSystem disk;
  std::unique_ptr<store::RocksKvStore> kv;
  std::unique_ptr<store::FileBlobStore> blobs;
  std::unique_ptr<BucketStore> buckets;
  std::unique_ptr<ObjectStore> objects;
  std::unique_ptr<ResumableUploads> uploads;

 private:
  base::ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  std::unique_ptr<Generations> generations_;
};

// A client with names of its own. Before each call it notes what may be true
// if the answer never comes, after it what must be.
class CrashClient {
 public:
  CrashClient(CrashMachine* machine, std::string prefix, uint64_t seed)
      : machine_(machine), prefix_(std::move(prefix)), random_(seed) {}

  // One random call; the first error ends a client.
  absl::Status Step() {
    const std::string name = base::StrCat(prefix_, "/", random_() % 4);
    std::set<std::string>& may = may_[name];
    if (may.empty()) may = {"(none)"};
    switch (random_() % 8) {
      case 0: {
        may.insert("(none)");
        const absl::Status status =
            machine_->objects->Delete("bkt", name, 0, {});
        if (!status.ok() && !absl::IsNotFound(status)) return status;
        may = {"(none)"};
        return absl::OkStatus();
      }
      case 1:
        return Upload(name);
      case 2: {
        // A composite of two small ones that it makes first.
        const std::string a = Bytes(100), b = Bytes(200);
        for (const auto& [part, bytes] :
             {std::pair(name + ".a", a), std::pair(name + ".b", b)}) {
          std::set<std::string>& part_may = may_[part];
          if (part_may.empty()) part_may = {"(none)"};
          part_may.insert(bytes);
          RETURN_IF_ERROR(machine_->Put(part, bytes));
          part_may = {bytes};
        }
        may.insert(a + b);
        RETURN_IF_ERROR(machine_->objects
                            ->Compose({.object = CrashMachine::Named(name),
                                       .sources = {{.name = name + ".a"},
                                                   {.name = name + ".b"}}})
                            .status());
        may = {a + b};
        return absl::OkStatus();
      }
      default: {
        const std::string bytes =
            Bytes(random_() % 2 == 0 ? 1 + random_() % 5000
                                     : kInlineLimit + 1 + random_() % 5000);
        may.insert(bytes);
        RETURN_IF_ERROR(machine_->Put(name, bytes));
        may = {bytes};
        return absl::OkStatus();
      }
    }
  }

  // The first promise that is broken; "".
  std::string Broken() {
    for (const auto& [name, contents] : may_) {
      const std::string found = machine_->Get(name);
      if (!contents.contains(found)) {
        return base::StrCat(name, " holds ", found.size(), " bytes '",
                            found.substr(0, 40), "', which is none of ",
                            contents.size());
      }
    }
    for (const auto& [id, received] : sessions_) {
      const auto record = machine_->uploads->Get(id);
      if (!record.ok()) return "session: " + record.status().ToString();
      if (record->finished_generation() == 0 && record->received() < received) {
        return base::StrCat("session has ", record->received(), " of ",
                            received);
      }
      if (record->finished_generation() != 0) continue;
      // And it can go on.
      const auto part = machine_->uploads->Open(id);
      if (!part.ok()) return "session: " + part.status().ToString();
      (*part)->Drop();
    }
    return "";
  }

 private:
  std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    const uint64_t start = random_();
    for (size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>((start >> (i % 8)) + i);
    }
    return bytes;
  }

  absl::Status Upload(const std::string& name) {
    const std::string first = Bytes(kInlineLimit + 5000);
    const std::string second = Bytes(1000);
    brume::storage::UploadRecord record;
    record.set_bucket("bkt");
    *record.mutable_object() = CrashMachine::Named(name);
    ASSIGN_OR_RETURN(const std::string id,
                     machine_->uploads->Begin(std::move(record)));
    sessions_[id] = 0;
    {
      ASSIGN_OR_RETURN(auto part, machine_->uploads->Open(id));
      RETURN_IF_ERROR(part->Append(first));
      ASSIGN_OR_RETURN(sessions_[id], part->Keep());
    }
    std::set<std::string>& may = may_[name];
    may.insert(first + second);
    ASSIGN_OR_RETURN(auto part, machine_->uploads->Open(id));
    RETURN_IF_ERROR(part->Append(second));
    RETURN_IF_ERROR(part->Finish().status());
    may = {first + second};
    return absl::OkStatus();
  }

  CrashMachine* const machine_;
  const std::string prefix_;
  std::mt19937_64 random_;
  std::map<std::string, std::set<std::string>> may_;
  std::map<std::string, uint64_t> sessions_;  // durable bytes
};

}  // namespace brume::services::storage

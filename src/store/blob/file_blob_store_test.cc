#include "store/blob/file_blob_store.h"

#include "base/status_macros.h"
#include "store/fs/crash_file_system.h"
#include "store/kv/rocks_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <set>

namespace brume::store {
namespace {

// Both stores on one disk whose power a test cuts.
class Machine {
 public:
  absl::Status Start() {
    ASSIGN_OR_RETURN(kv, RocksKvStore::Create({"/kv", &disk}));
    ASSIGN_OR_RETURN(blobs, FileBlobStore::Create({"/blobs", &disk, kv.get()}));
    return absl::OkStatus();
  }
  absl::Status PowerCut(std::optional<uint64_t> seed = std::nullopt) {
    disk.Crash();
    blobs.reset();
    kv.reset();
    disk.Restart(seed);
    return Start();
  }

  // Writes a blob and a row that owns it; OK when both are acknowledged.
  absl::Status Put(std::string_view row, std::string_view bytes) {
    ASSIGN_OR_RETURN(std::unique_ptr<BlobWriter> writer, blobs->Create());
    RETURN_IF_ERROR(writer->Append(bytes));
    ASSIGN_OR_RETURN(const BlobId id, writer->Commit());
    return Own(row, id);
  }
  absl::Status Own(std::string_view row, const BlobId& id) {
    return kv->Transact([&](KvTransaction& txn) -> absl::Status {
      ASSIGN_OR_RETURN(const auto old, txn.GetForUpdate(row));
      if (old) RETURN_IF_ERROR(blobs->DropReference(txn, *old));
      RETURN_IF_ERROR(blobs->AddReference(txn, id));
      return txn.Put(row, id);
    });
  }
  absl::Status Remove(std::string_view row) {
    RETURN_IF_ERROR(kv->Transact([&](KvTransaction& txn) -> absl::Status {
      ASSIGN_OR_RETURN(const auto old, txn.GetForUpdate(row));
      if (!old) return absl::OkStatus();
      RETURN_IF_ERROR(blobs->DropReference(txn, *old));
      return txn.Delete(row);
    }));
    return blobs->Collect();
  }
  absl::Status Park(std::string_view row, std::string_view bytes) {
    ASSIGN_OR_RETURN(std::unique_ptr<BlobWriter> writer, blobs->Create());
    RETURN_IF_ERROR(writer->Append(bytes));
    ASSIGN_OR_RETURN(const std::string name, blobs->Suspend(std::move(writer)));
    return kv->Transact([&](KvTransaction& txn) -> absl::Status {
      RETURN_IF_ERROR(blobs->KeepSuspended(txn, name));
      return txn.Put(row, name);
    });
  }
  absl::Status ParkMore(std::string_view row, uint64_t size,
                        std::string_view bytes) {
    ASSIGN_OR_RETURN(const auto name, kv->Get(row));
    ASSIGN_OR_RETURN(std::unique_ptr<BlobWriter> writer,
                     blobs->Resume(*name, size));
    RETURN_IF_ERROR(writer->Append(bytes));
    return blobs->Suspend(std::move(writer)).status();
  }
  absl::Status Finish(std::string_view row, uint64_t size,
                      std::string_view bytes) {
    ASSIGN_OR_RETURN(const auto name, kv->Get(row));
    ASSIGN_OR_RETURN(std::unique_ptr<BlobWriter> writer,
                     blobs->Resume(*name, size));
    RETURN_IF_ERROR(writer->Append(bytes));
    ASSIGN_OR_RETURN(const BlobId id, writer->Commit());
    return kv->Transact(
        [&](KvTransaction& txn) { return blobs->AddReference(txn, id); });
  }
  std::string Read(std::string_view row) {
    auto id = kv->Get(row);
    if (!id.ok() || !*id) return "(no row)";
    auto opened = blobs->Open(**id);
    if (!opened.ok()) return "(no blob)";
    std::string bytes(opened->size, '\0');
    (void)!::pread(opened->fd.get(), bytes.data(), bytes.size(), 0);
    return bytes;
  }
  std::string ReadParked(std::string_view row, uint64_t size) {
    auto name = kv->Get(row);
    if (!name.ok() || !*name) return "(no row)";
    auto writer = blobs->Resume(**name, size);
    if (!writer.ok()) return "(no blob)";
    auto id = (*writer)->Commit();
    if (!id.ok()) return "(no commit)";
    return Read(row);
  }
  std::vector<std::string> BlobFiles() {
    std::vector<std::string> found;
    for (const std::string& path : disk.Files()) {
      if (path.starts_with("/blobs/")) found.push_back(path);
    }
    return found;
  }

  CrashFileSystem disk;
  std::unique_ptr<RocksKvStore> kv;
  std::unique_ptr<FileBlobStore> blobs;
};

// What a caller does, with a power cut after it; the promise that broke, or "".
std::string BrokenPromise(Machine& machine) {
  if (!machine.Start().ok()) return "start";
  if (!machine.Put("put", "bytes").ok()) return "put";
  if (!machine.PowerCut().ok()) return "first restart";
  if (machine.Read("put") != "bytes") return "committed blob";
  if (!machine.Park("parked", "half").ok()) return "park";
  if (!machine.PowerCut().ok()) return "restart with a suspended blob";
  if (machine.Read("put") != "bytes") return "committed blob";
  if (!machine.ParkMore("parked", 4, "+more").ok()) return "park more";
  if (!machine.PowerCut().ok()) return "restart of one parked twice";
  if (machine.ReadParked("parked", 9) != "half+more") return "suspended blob";
  if (!machine.Remove("put").ok()) return "remove";
  if (!machine.PowerCut().ok()) return "third restart";
  for (const std::string& path : machine.BlobFiles()) {
    if (path.find("/0000000000000000") != std::string::npos) return "removal";
  }
  return "";
}

TEST(FileBlobStoreTest, EveryPromiseSurvivesAPowerCut) {
  Machine machine;
  EXPECT_EQ(BrokenPromise(machine), "");
}

// Each sync is there for a promise, and the promise breaks without it.
TEST(FileBlobStoreTest, WithoutAnyOneSyncAPromiseBreaks) {
  const std::map<std::string, std::string> needed = {
      {"blob.root", "committed blob"}, {"blob.folder", "committed blob"},
      {"blob.data", "committed blob"}, {"blob.name", "committed blob"},
      {"blob.suspended", "park more"}, {"blob.suspended_name", "park more"},
      {"blob.removed", "removal"}};
  for (const auto& [label, promise] : needed) {
    Machine machine;
    machine.disk.SuppressSync(label);
    EXPECT_EQ(BrokenPromise(machine), promise) << "without " << label;
  }
  // And there is no sync that this test does not know.
  Machine machine;
  EXPECT_EQ(BrokenPromise(machine), "");
  for (const std::string& label : machine.disk.SyncLabels()) {
    EXPECT_TRUE(label.starts_with("kv.") || needed.contains(label)) << label;
  }
}

// The power goes after each single call to the disk, in turn. What was
// acknowledged is there, and nothing is left that nobody owns.
TEST(FileBlobStoreTest, PowerCutAfterEveryCallLosesAndLeaksNothing) {
  for (const bool torn : {false, true}) {
    for (uint64_t crash_at = 1;; ++crash_at) {
      Machine machine;
      machine.disk.CrashAfterCall(crash_at);
      // What each row may hold: one thing, or while it changes, either.
      std::map<std::string, std::set<std::string>> may;
      const absl::Status status = [&]() -> absl::Status {
        const std::string none = "(no row)";
        may = {{"a", {none, "one"}}, {"b", {none}}, {"p", {none}}};
        RETURN_IF_ERROR(machine.Start());
        RETURN_IF_ERROR(machine.Put("a", "one"));
        may["a"] = {"one"};
        may["b"] = {none, "two"};
        RETURN_IF_ERROR(machine.Put("b", "two"));
        may["b"] = {"two"};
        may["a"] = {"one", "three"};
        RETURN_IF_ERROR(machine.Put("a", "three"));
        may["a"] = {"three"};
        may["p"] = {none, "half"};
        RETURN_IF_ERROR(machine.Park("p", "half"));
        may["p"] = {"half"};
        may["b"] = {none, "two"};
        RETURN_IF_ERROR(machine.Remove("b"));
        may["b"] = {none};
        may["p"] = {"half", "half+half"};
        RETURN_IF_ERROR(machine.Finish("p", 4, "+half"));
        may["p"] = {"half+half"};
        return absl::OkStatus();
      }();
      const std::string where = machine.disk.CallName(crash_at);
      const bool crashed = machine.disk.crashed();
      const absl::Status again =
          torn ? machine.PowerCut(crash_at) : machine.PowerCut();
      ASSERT_TRUE(again.ok()) << again << " after " << where;
      for (const auto& [row, contents] : may) {
        std::string found = machine.Read(row);
        if (row == "p" && found != "half+half") {
          found = machine.ReadParked(row, 4);
        }
        EXPECT_TRUE(contents.contains(found))
            << row << " is " << found << " after " << where;
      }
      if (!crashed) {
        ASSERT_TRUE(status.ok()) << status;
        EXPECT_GT(crash_at, 30u);
        break;
      }
      // No leak: every file is some row's.
      ASSERT_TRUE(machine.blobs->Collect().ok());
      size_t rows = 0;
      for (const char* row : {"a", "b", "p"}) {
        if (*machine.kv->Get(row)) ++rows;
      }
      EXPECT_EQ(machine.BlobFiles().size(), rows) << "after " << where;
    }
  }
}

TEST(FileBlobStoreTest, FullDiskRefusesAndLeavesNothing) {
  Machine machine;
  ASSERT_TRUE(machine.Start().ok());
  ASSERT_TRUE(machine.Put("a", "before").ok());
  const auto files = machine.BlobFiles();
  machine.disk.SetFreeSpace(1000);

  const absl::Status status = machine.Put("a", std::string(5000, 'x'));

  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(machine.Read("a"), "before");
  EXPECT_EQ(machine.BlobFiles(), files);
  machine.disk.SetFreeSpace(100 << 20);
  EXPECT_TRUE(machine.Put("a", "after").ok());
  EXPECT_EQ(machine.Read("a"), "after");
}

TEST(FileBlobStoreTest, StartCostsByWhatWasInFlightAndNotByWhatIsStored) {
  Machine machine;
  ASSERT_TRUE(machine.Start().ok());
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(machine.Put(std::to_string(i), "x").ok());
  }
  const uint64_t before = machine.disk.calls();
  ASSERT_TRUE(machine.PowerCut().ok());
  EXPECT_EQ(machine.BlobFiles().size(), 300u);
  EXPECT_LT(machine.disk.calls() - before, 60u) << "calls that change the disk";
}

}  // namespace
}  // namespace brume::store

#pragma once

#include "store/blob/blob_store.h"
#include "store/kv/kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// What every BlobStore engine must do. Include it in the engine's test and
// instantiate it with a factory of empty engines.
namespace brume::store {

// An engine on its disk, with the key-value store it shares.
class BlobEngine {
 public:
  virtual ~BlobEngine() = default;
  virtual KvStore& kv() = 0;
  virtual BlobStore& blobs() = 0;
  // Ends the process, as it were, and starts anew over what is durable.
  virtual void Restart() = 0;
  // Blobs and parts on the disk, after Collect.
  virtual size_t FilesLeft() = 0;
};

using BlobEngineFactory = std::function<std::unique_ptr<BlobEngine>()>;

class BlobConformanceTest : public testing::TestWithParam<BlobEngineFactory> {
 protected:
  void SetUp() override {
    engine_ = GetParam()();
    ASSERT_NE(engine_, nullptr);
  }

  BlobStore& blobs() { return engine_->blobs(); }

  absl::Status InTransaction(
      const std::function<absl::Status(KvTransaction&)>& body) {
    return engine_->kv().Transact(body);
  }
  absl::Status AddReference(const BlobId& id) {
    return InTransaction(
        [&](KvTransaction& txn) { return blobs().AddReference(txn, id); });
  }
  absl::Status DropReference(const BlobId& id) {
    return InTransaction(
        [&](KvTransaction& txn) { return blobs().DropReference(txn, id); });
  }
  absl::Status Keep(std::string_view name) {
    return InTransaction(
        [&](KvTransaction& txn) { return blobs().KeepSuspended(txn, name); });
  }

  // A committed blob without a reference.
  BlobId Write(std::string_view bytes) {
    auto writer = blobs().Create();
    EXPECT_TRUE(writer.ok()) << writer.status();
    EXPECT_TRUE((*writer)->Append(bytes).ok());
    auto id = (*writer)->Commit();
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or("");
  }
  BlobId WriteOwned(std::string_view bytes) {
    const BlobId id = Write(bytes);
    EXPECT_TRUE(AddReference(id).ok());
    return id;
  }
  std::string SuspendAfter(std::string_view bytes) {
    auto writer = blobs().Create();
    EXPECT_TRUE(writer.ok()) << writer.status();
    EXPECT_TRUE((*writer)->Append(bytes).ok());
    auto name = blobs().Suspend(*std::move(writer));
    EXPECT_TRUE(name.ok()) << name.status();
    return name.value_or("");
  }
  std::string Read(const BlobId& id) {
    auto opened = blobs().Open(id);
    if (!opened.ok()) return opened.status().ToString();
    std::string bytes(opened->size + 1, '\0');
    const ssize_t got =
        ::pread(opened->fd.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }

  std::unique_ptr<BlobEngine> engine_;
};

TEST_P(BlobConformanceTest, CommittedBytesAreRead) {
  auto writer = blobs().Create();
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Append("hello ").ok());
  ASSERT_TRUE((*writer)->Append("world").ok());
  EXPECT_EQ((*writer)->size(), 11u);
  auto id = (*writer)->Commit();
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_TRUE(AddReference(*id).ok());

  EXPECT_EQ(Read(*id), "hello world");
  engine_->Restart();
  EXPECT_EQ(Read(*id), "hello world");
}

TEST_P(BlobConformanceTest, EmptyBlobIsABlob) {
  const BlobId id = WriteOwned("");
  engine_->Restart();
  EXPECT_EQ(Read(id), "");
}

TEST_P(BlobConformanceTest, UnknownIdIsNotFound) {
  const BlobId id = WriteOwned("x");
  ASSERT_TRUE(DropReference(id).ok());
  ASSERT_TRUE(blobs().Collect().ok());

  EXPECT_TRUE(absl::IsNotFound(blobs().Open(id).status()));
  EXPECT_TRUE(absl::IsNotFound(AddReference(id)));
  EXPECT_TRUE(absl::IsNotFound(DropReference(id)));
  EXPECT_FALSE(blobs().Open("../../etc/passwd").ok());
}

TEST_P(BlobConformanceTest, WriterThatIsDroppedLeavesNothing) {
  {
    auto writer = blobs().Create();
    ASSERT_TRUE((*writer)->Append("bytes").ok());
  }
  EXPECT_EQ(engine_->FilesLeft(), 0u);
}

TEST_P(BlobConformanceTest, BlobLivesAsLongAsItsLastReference) {
  const BlobId id = WriteOwned("bytes");
  ASSERT_TRUE(AddReference(id).ok());
  ASSERT_TRUE(DropReference(id).ok());
  ASSERT_TRUE(blobs().Collect().ok());
  EXPECT_EQ(Read(id), "bytes");

  auto open = blobs().Open(id);
  ASSERT_TRUE(DropReference(id).ok());
  EXPECT_EQ(engine_->FilesLeft(), 0u);

  char out[5];
  EXPECT_EQ(::pread(open->fd.get(), out, 5, 0), 5) << "open files stay";
}

TEST_P(BlobConformanceTest, ReferenceOfAnAbortedTransactionDoesNotCount) {
  const BlobId id = Write("bytes");
  EXPECT_FALSE(InTransaction([&](KvTransaction& txn) -> absl::Status {
                 EXPECT_TRUE(blobs().AddReference(txn, id).ok());
                 return absl::CancelledError("no");
               }).ok());

  EXPECT_TRUE(blobs().Discard(id).ok());
  EXPECT_EQ(engine_->FilesLeft(), 0u);
}

TEST_P(BlobConformanceTest, BlobWithAnOwnerIsNotDiscarded) {
  const BlobId id = WriteOwned("bytes");
  EXPECT_FALSE(blobs().Discard(id).ok());
  EXPECT_EQ(Read(id), "bytes");
}

TEST_P(BlobConformanceTest, BlobThatNobodyTookIsGoneAfterRestart) {
  const BlobId id = Write("bytes");
  const BlobId owned = WriteOwned("owned");
  engine_->Restart();
  EXPECT_TRUE(absl::IsNotFound(blobs().Open(id).status()));
  EXPECT_TRUE(absl::IsNotFound(AddReference(id)));
  EXPECT_EQ(Read(owned), "owned");
  EXPECT_EQ(engine_->FilesLeft(), 1u);
}

TEST_P(BlobConformanceTest, IdsAreNotUsedTwice) {
  const BlobId first = Write("1");
  engine_->Restart();
  EXPECT_NE(Write("2"), first);
}

TEST_P(BlobConformanceTest, SuspendedWriterGoesOnAfterRestart) {
  const std::string name = SuspendAfter("hello ");
  ASSERT_TRUE(Keep(name).ok());
  engine_->Restart();

  auto writer = blobs().Resume(name, 6);
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ((*writer)->size(), 6u);
  ASSERT_TRUE((*writer)->Append("wor").ok());
  auto again = blobs().Suspend(*std::move(writer));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, name);
  ASSERT_TRUE(Keep(name).ok());
  engine_->Restart();

  writer = blobs().Resume(name, 9);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Append("ld").ok());
  auto id = (*writer)->Commit();
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_TRUE(AddReference(*id).ok());
  engine_->Restart();
  EXPECT_EQ(Read(*id), "hello world");
  EXPECT_FALSE(blobs().Resume(name, 9).ok());
}

TEST_P(BlobConformanceTest, ResumedWriterIsCutToItsSize) {
  const std::string name = SuspendAfter("hello");
  ASSERT_TRUE(Keep(name).ok());
  {
    auto writer = blobs().Resume(name, 5);
    ASSERT_TRUE((*writer)->Append("lost when the client went away").ok());
  }
  auto writer = blobs().Resume(name, 5);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Append("!").ok());
  auto id = (*writer)->Commit();
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(Read(*id), "hello!");
}

TEST_P(BlobConformanceTest, CommittedButUnreferencedWriterCanBeResumed) {
  const std::string name = SuspendAfter("hello");
  ASSERT_TRUE(Keep(name).ok());
  {
    auto writer = blobs().Resume(name, 5);
    ASSERT_TRUE((*writer)->Append(" world").ok());
    ASSERT_TRUE((*writer)->Commit().ok());
  }
  engine_->Restart();
  auto writer = blobs().Resume(name, 5);
  ASSERT_TRUE(writer.ok()) << writer.status();
  auto id = (*writer)->Commit();
  ASSERT_TRUE(id.ok());
  ASSERT_TRUE(AddReference(*id).ok());
  EXPECT_EQ(Read(*id), "hello");
}

TEST_P(BlobConformanceTest, SuspendedWriterThatNobodyKeptIsGoneAfterRestart) {
  const std::string name = SuspendAfter("hello");
  EXPECT_FALSE(blobs().Resume(name, 5).ok()) << "not kept";
  engine_->Restart();
  EXPECT_FALSE(Keep(name).ok());
  EXPECT_EQ(engine_->FilesLeft(), 0u);
}

TEST_P(BlobConformanceTest, DroppedSuspensionLeavesNothing) {
  const std::string name = SuspendAfter("hello");
  ASSERT_TRUE(Keep(name).ok());
  ASSERT_TRUE(InTransaction([&](KvTransaction& txn) {
                return blobs().DropSuspended(txn, name);
              }).ok());
  EXPECT_FALSE(blobs().Resume(name, 5).ok());
  EXPECT_EQ(engine_->FilesLeft(), 0u);
}

TEST_P(BlobConformanceTest, WritersSideBySideDoNotMix) {
  constexpr int kThreads = 8;
  constexpr int kEach = 20;
  std::vector<std::vector<BlobId>> ids(kThreads);
  std::vector<std::thread> threads;
  const auto bytes = [](int t, int i) {
    return std::string(static_cast<size_t>(100 + i),
                       static_cast<char>('a' + t));
  };
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        ids[t].push_back(WriteOwned(bytes(t, i)));
        if (i % 2 == 1) {
          EXPECT_TRUE(DropReference(ids[t][i - 1]).ok());
          EXPECT_TRUE(blobs().Collect().ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (int t = 0; t < kThreads; ++t) {
    for (int i = 1; i < kEach; i += 2) EXPECT_EQ(Read(ids[t][i]), bytes(t, i));
  }
  EXPECT_EQ(engine_->FilesLeft(), size_t{kThreads * kEach / 2});
}

}  // namespace brume::store

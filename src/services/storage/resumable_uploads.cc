#include "services/storage/resumable_uploads.h"

#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/keys.h"
#include "services/storage/names.h"
#include "services/storage/object_rows.h"
#include "services/storage/storage_errors.h"
#include "store/kv/key.h"

#include <utility>
#include <vector>

namespace brume::services::storage {
namespace {

using brume::storage::Object;
using brume::storage::UploadRecord;

constexpr absl::Duration kLifetime = absl::Hours(7 * 24);
constexpr size_t kExpireAtOnce = 4;

absl::StatusOr<UploadRecord> Parse(const std::optional<std::string>& row) {
  if (!row) return NoSuchUpload();
  UploadRecord record;
  if (!record.ParseFromString(*row)) {
    return absl::DataLossError("read upload record: malformed");
  }
  return record;
}

ParkedPayload ParkedOf(const UploadRecord& record) {
  return {.size = record.received(),
          .head = record.head(),
          .suspended = record.suspended(),
          .hash_state = record.hash_state()};
}

// Sorts by time, so that the oldest are found without a sweep; the rest cannot
// be guessed, since who has it may write.
std::string NewId(absl::Time now) {
  std::string micros(8, '\0');
  auto rest = static_cast<uint64_t>(absl::ToUnixMicros(now));
  for (size_t i = micros.size(); i-- > 0; rest >>= 8) {
    micros[i] = static_cast<char>(rest & 0xff);
  }
  return base::HexEncode(micros) + base::HexEncode(base::RandomBytes(24));
}

}  // namespace

absl::StatusOr<std::string> ResumableUploads::Begin(UploadRecord record) {
  RETURN_IF_ERROR(CheckObjectName(record.object().name()));
  RETURN_IF_ERROR(RemoveExpired());
  const absl::Time now = options_.clock->Now();
  const std::string id = NewId(now);
  *record.mutable_expires() = ToMillis(now + kLifetime);
  record.set_received(0);
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> bucket,
                         txn.Get(BucketKey(record.bucket())));
        if (!bucket) return NoSuchBucket();
        return txn.Put(UploadKey(id), record.SerializeAsString());
      }));
  return id;
}

absl::StatusOr<UploadRecord> ResumableUploads::Get(std::string_view id) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(UploadKey(id)));
  ASSIGN_OR_RETURN(UploadRecord record, Parse(row));
  if (record.expires().seconds() <=
      absl::ToUnixSeconds(options_.clock->Now())) {
    return NoSuchUpload();
  }
  return record;
}

absl::Status ResumableUploads::Remove(store::KvTransaction& txn,
                                      std::string_view id,
                                      const UploadRecord& record) {
  if (!record.suspended().empty()) {
    RETURN_IF_ERROR(options_.blobs->DropSuspended(txn, record.suspended()));
  }
  return txn.Delete(UploadKey(id));
}

absl::Status ResumableUploads::Cancel(std::string_view id) {
  const std::shared_ptr<Turn> turn = TurnOf(std::string(id));
  absl::MutexLock lock(&turn->mutex);
  ++turn->number;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> row,
                         txn.GetForUpdate(UploadKey(id)));
        ASSIGN_OR_RETURN(const UploadRecord record, Parse(row));
        return Remove(txn, id, record);
      }));
  return options_.blobs->Collect();
}

absl::Status ResumableUploads::RemoveExpired() {
  const int64_t now = absl::ToUnixSeconds(options_.clock->Now());
  std::vector<std::string> expired;
  absl::Status parsed;
  RETURN_IF_ERROR(options_.kv->Snapshot()->Scan(
      AllUploads(), [&](std::string_view key, std::string_view value) {
        const absl::StatusOr<UploadRecord> record = Parse(std::string(value));
        if (!record.ok()) parsed = record.status();
        if (!record.ok() || record->expires().seconds() > now) return false;
        store::KeyParser parser(key);
        (void)parser.Next();
        expired.push_back(parser.Next().value_or(""));
        return expired.size() < kExpireAtOnce;
      }));
  RETURN_IF_ERROR(parsed);
  for (const std::string& id : expired) {
    const absl::Status removed = Cancel(id);
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

std::shared_ptr<ResumableUploads::Turn> ResumableUploads::TurnOf(
    const std::string& id) {
  absl::MutexLock lock(&mutex_);
  std::weak_ptr<Turn>& slot = turns_[id];
  std::shared_ptr<Turn> turn = slot.lock();
  if (turn == nullptr) {
    // Those whose parts are gone have no use any more.
    std::erase_if(turns_, [&](const auto& entry) {
      return entry.first != id && entry.second.expired();
    });
    turn = std::make_shared<Turn>();
    turns_[id] = turn;
  }
  return turn;
}

absl::StatusOr<std::unique_ptr<ResumableUploads::Part>> ResumableUploads::Open(
    std::string_view id) {
  const std::shared_ptr<Turn> turn = TurnOf(std::string(id));
  absl::MutexLock lock(&turn->mutex);
  const uint64_t number = ++turn->number;
  ASSIGN_OR_RETURN(UploadRecord record, Get(id));
  absl::StatusOr<PayloadWriter> writer =
      PayloadWriter::Resume(options_.blobs, ParkedOf(record));
  if (absl::IsNotFound(writer.status())) return NoSuchUpload();
  RETURN_IF_ERROR(writer.status());
  return std::make_unique<Part>(this, std::string(id), std::move(record),
                                *std::move(writer), turn, number);
}

ResumableUploads::Part::Part(ResumableUploads* uploads, std::string id,
                             UploadRecord record, PayloadWriter writer,
                             std::shared_ptr<Turn> turn, uint64_t number)
    : uploads_(uploads),
      id_(std::move(id)),
      record_(std::move(record)),
      writer_(std::move(writer)),
      turn_(std::move(turn)),
      number_(number) {}

ResumableUploads::Part::~Part() {
  if (!writer_ || writer_->size() == record_.received()) return;
  const absl::Status kept = Keep().status();
  if (!kept.ok() && !absl::IsAborted(kept)) {
    base::Log(base::LogLevel::kWarn, "storage", "partial upload not kept",
              {{"error", kept.ToString()}});
  }
}

absl::Status ResumableUploads::Part::CheckTurn() const {
  if (turn_->number == number_) return absl::OkStatus();
  return absl::AbortedError(
      "append to upload: another request continues this session");
}

void ResumableUploads::Part::Expect(const Object& stated) {
  Object& object = *record_.mutable_object();
  if (stated.has_crc32c()) object.set_crc32c(stated.crc32c());
  if (stated.has_md5_hash()) object.set_md5_hash(stated.md5_hash());
}

absl::Status ResumableUploads::Part::Append(std::string_view bytes) {
  absl::MutexLock lock(&turn_->mutex);
  RETURN_IF_ERROR(CheckTurn());
  return writer_->Append(bytes);
}

absl::StatusOr<uint64_t> ResumableUploads::Part::Keep() {
  absl::MutexLock lock(&turn_->mutex);
  PayloadWriter writer = *std::move(writer_);
  writer_.reset();
  RETURN_IF_ERROR(CheckTurn());
  ASSIGN_OR_RETURN(const ParkedPayload parked, writer.Park());
  record_.set_received(parked.size);
  record_.set_head(parked.head);
  record_.set_suspended(parked.suspended);
  record_.set_hash_state(parked.hash_state);
  const ResumableUploads::Options& options = uploads_->options_;
  RETURN_IF_ERROR(
      options.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> row,
                         txn.GetForUpdate(UploadKey(id_)));
        if (!row) return NoSuchUpload();
        if (!parked.suspended.empty()) {
          RETURN_IF_ERROR(options.blobs->KeepSuspended(txn, parked.suspended));
        }
        return txn.Put(UploadKey(id_), record_.SerializeAsString());
      }));
  return parked.size;
}

absl::StatusOr<Object> ResumableUploads::Part::Finish() {
  absl::MutexLock lock(&turn_->mutex);
  RETURN_IF_ERROR(CheckTurn());
  const ResumableUploads::Options& options = uploads_->options_;
  PayloadWriter writer = *std::move(writer_);
  writer_.reset();
  ASSIGN_OR_RETURN(Payload payload, writer.Finish());
  // A kept blob stays the session's until the object has it.
  if (payload.blob() == record_.suspended()) payload.Release();
  UploadRecord finished = record_;
  finished.clear_head();
  finished.clear_suspended();
  finished.clear_hash_state();
  absl::StatusOr<Object> object = options.objects->Insert(
      {.object = record_.object(),
       .conditions = record_.conditions(),
       .predefined_acl = record_.predefined_acl(),
       .also = [&](store::KvTransaction& txn,
                   const Object& made) -> absl::Status {
         ASSIGN_OR_RETURN(const std::optional<std::string> row,
                          txn.GetForUpdate(UploadKey(id_)));
         if (!row) return NoSuchUpload();
         finished.set_finished_generation(made.generation());
         finished.set_received(made.size());
         return txn.Put(UploadKey(id_), finished.SerializeAsString());
       }},
      std::move(payload));
  const absl::StatusCode code = object.status().code();
  if (code == absl::StatusCode::kInvalidArgument ||
      code == absl::StatusCode::kFailedPrecondition) {
    const absl::Status removed =
        options.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
          ASSIGN_OR_RETURN(const std::optional<std::string> row,
                           txn.GetForUpdate(UploadKey(id_)));
          if (!row) return absl::OkStatus();
          return uploads_->Remove(txn, id_, record_);
        });
    if (!removed.ok()) return removed;
    (void)options.blobs->Collect();  // what stays goes at the next
  }
  return object;
}

}  // namespace brume::services::storage

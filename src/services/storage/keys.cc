#include "services/storage/keys.h"

namespace brume::services::storage {
namespace {

// What closes a string in a key (store/kv/key.h).
constexpr size_t kTerminator = 2;

std::string OpenKey(std::string_view table, std::string_view bucket,
                    std::string_view name) {
  std::string key = store::Key(table).Add(bucket).Add(name).str();
  key.resize(key.size() - kTerminator);
  return key;
}

}  // namespace

std::string BucketKey(std::string_view bucket) {
  return store::Key("storage.bucket").Add(bucket).str();
}
std::string ProjectBucketKey(std::string_view project,
                             std::string_view bucket) {
  return store::Key("storage.project_bucket").Add(project).Add(bucket).str();
}
store::KeyRange ProjectBuckets(std::string_view project) {
  return store::KeyRange::Prefix(
      store::Key("storage.project_bucket").Add(project).str());
}
std::string ObjectKey(std::string_view bucket, std::string_view object) {
  return store::Key("storage.object").Add(bucket).Add(object).str();
}
std::string NoncurrentKey(std::string_view bucket, std::string_view object,
                          int64_t generation) {
  return store::Key("storage.noncurrent")
      .Add(bucket)
      .Add(object)
      .AddInt(static_cast<uint64_t>(generation))
      .str();
}
store::KeyRange NoncurrentOf(std::string_view bucket, std::string_view object) {
  return store::KeyRange::Prefix(
      store::Key("storage.noncurrent").Add(bucket).Add(object).str());
}
std::string BytesKey(int64_t bytes_id) {
  return store::Key("storage.bytes")
      .AddInt(static_cast<uint64_t>(bytes_id))
      .str();
}
std::string UploadKey(std::string_view upload_id) {
  return store::Key("storage.upload").Add(upload_id).str();
}
store::KeyRange AllUploads() {
  return store::KeyRange::Prefix(store::Key("storage.upload").str());
}
store::KeyRange ObjectsWithPrefix(std::string_view table,
                                  std::string_view bucket,
                                  std::string_view prefix) {
  return store::KeyRange::Prefix(OpenKey(table, bucket, prefix));
}
std::string ObjectsFrom(std::string_view table, std::string_view bucket,
                        std::string_view name) {
  return OpenKey(table, bucket, name);
}

}  // namespace brume::services::storage

#pragma once

#include "api/json/json.h"
#include "api/storage/storage_json.h"
#include "services/storage/generations.h"
#include "store/blob/file_blob_store.h"
#include "store/fs/crash_file_system.h"
#include "store/kv/memory_kv_store.h"

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

// A whole Storage service over a disk in memory, driven through its surface as
// the front does. For tests of this folder.
namespace brume::api::storage {

namespace json = boost::json;
struct Got {
  int status = 0;
  Headers headers;
  std::string body;
  std::string Header(std::string_view name) const {
    return std::string(headers.Get(name).value_or(""));
  }
  json::value Json() const { return ParseJson(body).value_or(nullptr); }
  std::string Field(std::string_view name) const {
    const json::value value = Json();
    if (!value.is_object()) return "(no object)";
    const auto* field = value.get_object().if_contains(
        json::string_view(name.data(), name.size()));
    if (field == nullptr) return "(absent)";
    return field->is_string() ? std::string(field->get_string())
                              : PrintJson(*field, false);
  }
};

class StorageJsonTest : public testing::Test {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  void SetUp() override {
    Start();
    ASSERT_EQ(
        Send("POST", "/storage/v1/b?project=p", {}, R"({"name":"bkt"})").status,
        200);
  }

  void Start() {
    blobs_ = *store::FileBlobStore::Create({"/blobs", &disk_, &kv_});
    generations_ = *services::storage::Generations::Create(&kv_, &clock_);
    objects_ = std::make_unique<services::storage::ObjectStore>(
        services::storage::ObjectStore::Options{
            .kv = &kv_,
            .blobs = blobs_.get(),
            .clock = &clock_,
            .generations = generations_.get(),
            .freed = [this] { EXPECT_TRUE(blobs_->Collect().ok()); }});
    uploads_ = std::make_unique<services::storage::ResumableUploads>(
        services::storage::ResumableUploads::Options{&kv_, blobs_.get(),
                                                     objects_.get(), &clock_});
    storage_ = std::make_unique<StorageJson>(StorageJson::Options{
        .services = {&buckets_, objects_.get(), uploads_.get()},
        .blobs = blobs_.get(),
        .admission = &admission_,
        .default_project = "p"});
  }
  // Another process over the same disk.
  void Restart() {
    storage_.reset();
    uploads_.reset();
    objects_.reset();
    blobs_.reset();
    Start();
  }

  static RequestHead Head(const std::string& method, const std::string& target,
                          const Fields& fields) {
    RequestHead head;
    head.method = method;
    head.host = "storage.googleapis.com";
    head.base_url = "https://storage.googleapis.com";
    head.target = target;
    head.origin.via = Origin::Via::kProxy;
    bool token = false;
    for (const auto& [name, value] : fields) {
      head.headers.Add(name, value);
      token |= name == "authorization";
    }
    if (!token) head.headers.Add("authorization", "Bearer good");
    return head;
  }

  static Got Flatten(Response response) {
    Got got{.status = response.status, .headers = std::move(response.headers)};
    if (auto* text = std::get_if<std::string>(&response.body)) {
      got.body = std::move(*text);
    } else if (auto* slice = std::get_if<FileSlice>(&response.body)) {
      got.body.resize(slice->length);
      EXPECT_EQ(::pread(slice->fd.get(), got.body.data(), slice->length,
                        static_cast<off_t>(slice->offset)),
                static_cast<ssize_t>(slice->length));
    } else {
      auto& source = *std::get<std::unique_ptr<BodySource>>(response.body);
      while (true) {
        auto piece = source.Read();
        EXPECT_TRUE(piece.ok()) << piece.status();
        if (!piece.ok() || piece->empty()) break;
        got.body += *piece;
      }
    }
    return got;
  }

  Got SendHead(RequestHead head, std::string_view body, size_t piece) {
    EXPECT_TRUE(storage_->Owns(head)) << head.target;
    Begun begun = storage_->Begin(std::move(head));
    if (auto* response = std::get_if<Response>(&begun)) {
      return Flatten(std::move(*response));
    }
    auto sink = std::move(std::get<std::unique_ptr<BodySink>>(begun));
    while (!body.empty()) {
      if (auto early = sink->Write(body.substr(0, piece))) {
        return Flatten(std::move(*early));
      }
      body.remove_prefix(std::min(piece, body.size()));
    }
    Outcome outcome = sink->Finish();
    return Flatten(std::move(std::get<Response>(outcome)));
  }
  Got Send(const std::string& method, const std::string& target,
           const Fields& fields = {}, std::string_view body = "",
           size_t piece = 1000) {
    return SendHead(Head(method, target, fields), body, piece);
  }

  Got Put(const std::string& name, std::string_view bytes,
          const std::string& more = "") {
    return Send(
        "POST",
        "/upload/storage/v1/b/bkt/o?uploadType=media&name=" + name + more,
        {{"content-type", "text/plain"}}, bytes);
  }
  Got Read(const std::string& name, const Fields& fields = {},
           const std::string& more = "") {
    return Send("GET",
                "/download/storage/v1/b/bkt/o/" + name + "?alt=media" + more,
                fields);
  }
  std::string Reason(const Got& got) {
    const json::value value = got.Json();
    return value.is_object() ? std::string(value.at("error")
                                               .at("errors")
                                               .at(0)
                                               .at("reason")
                                               .as_string())
                             : "(none)";
  }
  std::string StartUpload(const std::string& name,
                          const std::string& more = "") {
    const Got got =
        Send("POST", "/upload/storage/v1/b/bkt/o?uploadType=resumable" + more,
             {{"x-upload-content-type", "application/x-test"}},
             R"({"name":")" + name + R"("})");
    EXPECT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.body, "");
    const std::string location = got.Header("location");
    EXPECT_THAT(location,
                testing::StartsWith("https://storage.googleapis.com/upload/"));
    return location.substr(
        std::string("https://storage.googleapis.com").size());
  }

  store::CrashFileSystem disk_;
  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  std::vector<Admission::Decision> decisions_;
  Admission admission_{Admission::Options{
      .authenticate = [](std::string_view token,
                         std::string_view) -> absl::StatusOr<Principal> {
        if (token != "good") return absl::UnauthenticatedError("bad");
        return Principal{.kind = Principal::Kind::kUser,
                         .email = "me@example.com"};
      },
      .find_project =
          [](std::string_view project) -> absl::StatusOr<ProjectRef> {
        if (project == "p" || project == "123") return ProjectRef{"p", "123"};
        return absl::NotFoundError("none");
      },
      .api_enabled = [](const ProjectRef&, std::string_view)
          -> absl::StatusOr<bool> { return true; },
      .record =
          [this](const Admission::Decision& decision) {
            decisions_.push_back(decision);
          },
      .clock = &clock_}};
  services::storage::BucketStore buckets_{{&kv_, &clock_}};
  std::unique_ptr<store::FileBlobStore> blobs_;
  std::unique_ptr<services::storage::Generations> generations_;
  std::unique_ptr<services::storage::ObjectStore> objects_;
  std::unique_ptr<services::storage::ResumableUploads> uploads_;
  std::unique_ptr<StorageJson> storage_;
};

}  // namespace brume::api::storage

#include "api/storage/storage_json.h"

#include "api/json/json.h"
#include "services/storage/generations.h"
#include "store/blob/file_blob_store.h"
#include "store/fs/crash_file_system.h"
#include "store/kv/memory_kv_store.h"

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

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
    EXPECT_THAT(location, StartsWith("https://storage.googleapis.com/upload/"));
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

TEST_F(StorageJsonTest, BucketHasGooglesFieldsAndDefaults) {
  const Got got = Send("GET", "/storage/v1/b/bkt?projection=full");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("kind"), "storage#bucket");
  EXPECT_EQ(got.Field("id"), "bkt");
  EXPECT_EQ(got.Field("selfLink"),
            "https://www.googleapis.com/storage/v1/b/bkt");
  EXPECT_EQ(got.Field("projectNumber"), "123");
  EXPECT_EQ(got.Field("metageneration"), "1");
  EXPECT_EQ(got.Field("location"), "US");
  EXPECT_EQ(got.Field("locationType"), "multi-region");
  EXPECT_EQ(got.Field("storageClass"), "STANDARD");
  EXPECT_EQ(got.Field("etag"), "CAE=");
  EXPECT_EQ(got.Field("timeCreated"), "2023-11-14T22:13:20.000Z");
  EXPECT_THAT(got.Field("acl"), HasSubstr("project-owners-123"));
  EXPECT_THAT(got.Field("iamConfiguration"),
              HasSubstr("\"publicAccessPrevention\":\"inherited\""));
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt").Field("acl"), "(absent)");
}

TEST_F(StorageJsonTest, BucketErrorsAreGoogles) {
  const Got missing = Send("GET", "/storage/v1/b/nope-nope");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("The specified bucket does not exist."));
  EXPECT_EQ(Reason(missing), "notFound");
  const Got again =
      Send("POST", "/storage/v1/b/?project=p", {}, R"({"name":"bkt"})");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(Reason(again), "conflict");
  EXPECT_EQ(
      Send("POST", "/storage/v1/b?project=p", {}, R"({"name":"A"})").status,
      400);
  EXPECT_EQ(
      Send("POST", "/storage/v1/b?project=q", {}, R"({"name":"abc"})").status,
      400);
  EXPECT_EQ(Reason(Send("POST", "/storage/v1/b", {}, R"({"name":"abc"})")),
            "required");
  EXPECT_EQ(Reason(Send("POST", "/storage/v1/b?project=p", {}, "{\"name\"")),
            "parseError");
  EXPECT_EQ(Send("POST", "/storage/v1/b?project=p", {},
                 R"({"name":"abc","location":"mars"})")
                .status,
            400);
}

TEST_F(StorageJsonTest, BucketPatchKeepsNullAndAbsentApart) {
  ASSERT_EQ(Send("PATCH", "/storage/v1/b/bkt", {},
                 R"({"labels":{"a":"1","b":"2"},"website":{"mainPageSuffix":
                     "i"},"cors":[{"method":["GET"],"maxAgeSeconds":5}],
                     "lifecycle":{"rule":[{"action":{"type":"Delete"},
                     "condition":{"age":7}}]},"unknown":3})")
                .status,
            200);
  const Got got =
      Send("PATCH", "/storage/v1/b/bkt", {},
           R"({"labels":{"a":null,"c":"3"},"website":null,"id":"x"})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("labels"), R"({"b":"2","c":"3"})");
  EXPECT_EQ(got.Field("website"), "(absent)");
  EXPECT_THAT(got.Field("cors"), HasSubstr("\"maxAgeSeconds\":5"));
  EXPECT_THAT(got.Field("lifecycle"), HasSubstr("\"age\":7"));
  EXPECT_EQ(got.Field("metageneration"), "3");
  EXPECT_EQ(Send("PATCH", "/storage/v1/b/bkt?ifMetagenerationMatch=1", {}, "{}")
                .status,
            412);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt?ifMetagenerationNotMatch=3").status,
            304);
  const Got misfit =
      Send("PATCH", "/storage/v1/b/bkt", {}, R"({"versioning":{"enabled":7}})");
  EXPECT_EQ(misfit.status, 400);
  EXPECT_THAT(misfit.body, HasSubstr("'versioning.enabled'"));
}

TEST_F(StorageJsonTest, UniformAccessIsLockedLaterAndTurnsListsOff) {
  const Got got = Send("PATCH", "/storage/v1/b/bkt", {},
                       R"({"iamConfiguration":{"bucketPolicyOnly":
                           {"enabled":true}}})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_THAT(got.Field("iamConfiguration"),
              HasSubstr("\"lockedTime\":\"2024-02-12T22:13:20.000Z\""));
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/acl").status, 400);
  EXPECT_EQ(Put("x", "1", "&predefinedAcl=publicRead").status, 400);
  EXPECT_EQ(Put("x", "1").status, 200);
}

TEST_F(StorageJsonTest, BucketListsHavePages) {
  for (const char* name : {"bkt2", "bkt3"}) {
    ASSERT_EQ(Send("POST", "/storage/v1/b?project=123", {},
                   std::string(R"({"name":")") + name + R"("})")
                  .status,
              200);
  }
  const Got page = Send("GET", "/storage/v1/b?project=p&maxResults=2");
  EXPECT_EQ(page.Field("kind"), "storage#buckets");
  EXPECT_EQ(page.Json().at("items").as_array().size(), 2u);
  const Got rest =
      Send("GET", "/storage/v1/b?project=p&maxResults=2&pageToken=" +
                      page.Field("nextPageToken"));
  EXPECT_EQ(rest.Json().at("items").at(0).at("name").as_string(), "bkt3");
  EXPECT_EQ(rest.Field("nextPageToken"), "(absent)");
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt3").status, 204);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt3").status, 404);
}

TEST_F(StorageJsonTest, UploadedObjectIsShownAndRead) {
  const Got put = Put("dir%2Ffile%201.txt", "hello");
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.Field("kind"), "storage#object");
  EXPECT_EQ(put.Field("name"), "dir/file 1.txt");
  EXPECT_EQ(put.Field("size"), "5");
  EXPECT_EQ(put.Field("contentType"), "text/plain");
  EXPECT_EQ(put.Field("md5Hash"), "XUFAKrxLKna5cZ2REBfFkg==");
  EXPECT_EQ(put.Field("crc32c"), "mnG7TA==");
  EXPECT_EQ(put.Field("mediaLink"),
            "https://storage.googleapis.com/download/storage/v1/b/bkt/o/"
            "dir%2Ffile%201.txt?generation=" +
                put.Field("generation") + "&alt=media");
  EXPECT_EQ(put.Field("id"), "bkt/dir/file 1.txt/" + put.Field("generation"));

  const Got got = Read("dir%2Ffile%201.txt");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.Header("x-goog-hash"),
            "crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg==");
  EXPECT_EQ(got.Header("x-goog-generation"), put.Field("generation"));
  EXPECT_EQ(got.Header("content-type"), "text/plain");
  const Got part = Read("dir%2Ffile%201.txt", {{"range", "bytes=1-2"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "el");
  EXPECT_EQ(part.Header("content-range"), "bytes 1-2/5");
  const Got beyond = Read("dir%2Ffile%201.txt", {{"range", "bytes=5-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.Header("content-range"), "bytes */5");
  EXPECT_EQ(Send("GET",
                 "/storage/v1/b/bkt/o/dir%2Ffile%201.txt?alt=media&"
                 "ifGenerationNotMatch=" +
                     put.Field("generation"))
                .status,
            304);
}

TEST_F(StorageJsonTest, LargeObjectIsAFileAndSurvivesARestart) {
  std::string bytes(300'000, 'x');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  const Got put = Put("big", bytes);
  ASSERT_EQ(put.status, 200) << put.body;
  Restart();
  EXPECT_EQ(Read("big").body, bytes);
  EXPECT_EQ(Read("big", {{"range", "bytes=-10"}}).body,
            bytes.substr(bytes.size() - 10));
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/big").status, 204);
  const Got gone = Read("big");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.body, "No such object: bkt/big");
  size_t files = 0;
  for (const std::string& path : disk_.Files()) {
    files += path.starts_with("/blobs") ? 1 : 0;
  }
  EXPECT_EQ(files, 0u);
}

TEST_F(StorageJsonTest, MultipartUploadsOfEveryClientAreTaken) {
  // gsutil: single quotes and LF.
  const Got gsutil = Send(
      "POST",
      "/upload/storage/v1/b/bkt/o?uploadType=multipart&fields=name,size",
      {{"content-type", "multipart/related; boundary='==1=='"}},
      "--==1==\nContent-Type: application/json\n\n"
      "{\"name\": \"g\", \"metadata\": {\"goog-reserved-file-mtime\": \"7\"}}\n"
      "--==1==\nContent-Type: text/x-g\n\nfile 1\n\n--==1==--",
      7);
  ASSERT_EQ(gsutil.status, 200) << gsutil.body;
  EXPECT_EQ(gsutil.Field("size"), "7");
  EXPECT_EQ(gsutil.Field("crc32c"), "(absent)") << "not selected";
  EXPECT_EQ(Read("g").body, "file 1\n");
  EXPECT_EQ(Read("g").Header("content-type"), "text/x-g");
  // Python: CRLF, a checksum in the metadata.
  const auto python = [&](const std::string& crc) {
    return Send("POST", "/upload/storage/v1/b/bkt/o?uploadType=multipart",
                {{"content-type", "multipart/related; boundary=\"==2==\""}},
                "--==2==\r\ncontent-type: application/json; charset=UTF-8\r\n"
                "\r\n{\"name\": \"p\", \"crc32c\": \"" +
                    crc +
                    "\"}\r\n--==2==\r\ncontent-type: a/b\r\n\r\nhello\r\n"
                    "--==2==--");
  };
  EXPECT_EQ(python("mnG7TA==").status, 200);
  const Got wrong = python("AAAAAA==");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("CRC32C"));
  EXPECT_EQ(Send("POST", "/upload/storage/v1/b/bkt/o?uploadType=multipart",
                 {{"content-type", "multipart/related; boundary=b"}},
                 "--b\n\n{\"name\":\"q\"}\n--b\n\ncut off")
                .status,
            400);
  EXPECT_EQ(Read("q").status, 404) << "nothing is left of it";
}

TEST_F(StorageJsonTest, ResumableUploadGoesOnAfterARestart) {
  std::string bytes(2 * 262144 + 1000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 3);
  const std::string session = StartUpload("r");
  const Got first =
      Send("PUT", session, {{"content-range", "bytes 0-262143/*"}},
           bytes.substr(0, 262144), 50'000);
  EXPECT_EQ(first.status, 308);
  EXPECT_EQ(first.Header("range"), "bytes=0-262143");
  EXPECT_EQ(first.body, "");
  Restart();
  const Got asked = Send("PUT", session, {{"content-range", "bytes */*"}});
  EXPECT_EQ(asked.status, 308);
  EXPECT_EQ(asked.Header("range"), "bytes=0-262143");
  // Sent again from the middle of what is there.
  const Got last =
      Send("PUT", session, {{"content-range", "bytes 200000-525287/525288"}},
           bytes.substr(200'000));
  ASSERT_EQ(last.status, 200) << last.body;
  EXPECT_EQ(last.Field("contentType"), "application/x-test");
  EXPECT_EQ(Read("r").body, bytes);
  const Got after = Send("PUT", session, {{"content-range", "bytes */525288"}});
  EXPECT_EQ(after.status, 200) << "a lost reply is given again";
  EXPECT_EQ(after.Field("generation"), last.Field("generation"));
}

TEST_F(StorageJsonTest, ResumableUploadInItsOtherForms) {
  // Nothing is stored yet: no Range.
  const std::string session = StartUpload("a");
  const Got asked = Send("PUT", session, {{"content-range", "bytes */*"}});
  EXPECT_EQ(asked.status, 308);
  EXPECT_FALSE(asked.headers.Has("range"));
  // Node: one request of unknown length.
  EXPECT_EQ(
      Send("PUT", session, {{"content-range", "bytes 0-*/*"}}, "abc").status,
      200);
  // Empty objects.
  EXPECT_EQ(Send("PUT", StartUpload("b"), {{"content-range", "bytes */0"}})
                .Field("size"),
            "0");
  // No header: all of it. By POST, as gcsfs does.
  EXPECT_EQ(Send("POST", StartUpload("c"), {}, "abc").Field("size"), "3");
  // A gap is not filled.
  const std::string gap = StartUpload("d");
  const Got refused =
      Send("PUT", gap, {{"content-range", "bytes 5-9/10"}}, "fghij");
  EXPECT_EQ(refused.status, 308);
  EXPECT_FALSE(refused.headers.Has("range"));
  EXPECT_EQ(Send("PUT", gap, {{"content-range", "bytes x"}}).status, 400);
  // gsutil's path.
  const Got gsutil =
      Send("POST", "/resumable/upload/storage/v1/b/bkt/o?uploadType=resumable",
           {}, R"({"name":"e"})");
  EXPECT_THAT(gsutil.Header("location"),
              HasSubstr("/resumable/upload/storage/v1/b/bkt/o?"));
}

TEST_F(StorageJsonTest, ResumableUploadEndsByCancelAndByFailure) {
  const std::string cancelled = StartUpload("x");
  Send("PUT", cancelled, {{"content-range", "bytes 0-262143/*"}},
       std::string(262144, 'x'));
  const Got cancel = Send("DELETE", cancelled);
  EXPECT_EQ(cancel.status, 499);
  EXPECT_EQ(cancel.body, "");
  EXPECT_EQ(Send("PUT", cancelled, {{"content-range", "bytes */*"}}).status,
            404);
  // Conditions count when the object is made.
  const std::string late = StartUpload("y", "&ifGenerationMatch=0");
  ASSERT_EQ(Put("y", "first").status, 200);
  const Got refused = Send("PUT", late, {}, std::string(70'000, 'y'));
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(Reason(refused), "conditionNotMet");
  EXPECT_EQ(Read("y").body, "first");
  // A wrong checksum with the last part.
  const Got wrong = Send("PUT", StartUpload("z"),
                         {{"x-goog-hash", "crc32c=AAAAAA=="}}, "hello");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(Read("z").status, 404);
  size_t files = 0;
  ASSERT_TRUE(blobs_->Collect().ok());
  for (const std::string& path : disk_.Files()) {
    files += path.starts_with("/blobs") ? 1 : 0;
  }
  EXPECT_EQ(files, 0u);
}

TEST_F(StorageJsonTest, BytesOfAClientThatWentAwayAreKept) {
  const std::string session = StartUpload("r");
  RequestHead head =
      Head("PUT", session, {{"content-range", "bytes 0-299999/300000"}});
  Begun begun = storage_->Begin(std::move(head));
  auto sink = std::move(std::get<std::unique_ptr<BodySink>>(begun));
  ASSERT_FALSE(sink->Write(std::string(100'000, 'x')));
  sink.reset();
  EXPECT_EQ(Send("PUT", session, {{"content-range", "bytes */300000"}})
                .Header("range"),
            "bytes=0-99999");
  // A second connection takes over from one that hangs.
  begun = storage_->Begin(
      Head("PUT", session, {{"content-range", "bytes 100000-299999/300000"}}));
  sink = std::move(std::get<std::unique_ptr<BodySink>>(begun));
  ASSERT_FALSE(sink->Write(std::string(1000, 'y')));
  EXPECT_EQ(
      Send("PUT", session, {{"content-range", "bytes 100000-299999/300000"}},
           std::string(200'000, 'x'))
          .status,
      200);
  const auto late = sink->Write("more");
  ASSERT_TRUE(late);
  EXPECT_EQ(late->status, 409);
  sink.reset();
  EXPECT_EQ(Read("r").body, std::string(300'000, 'x'));
}

TEST_F(StorageJsonTest, ListsSelectAndPage) {
  for (const char* name : {"a.txt", "d%2F1", "d%2F2", "e%2F1", "z"}) {
    ASSERT_EQ(Put(name, name).status, 200);
  }
  const Got got = Send("GET",
                       "/storage/v1/b/bkt/o?delimiter=/&maxResults=2&fields="
                       "prefixes,items/name,nextPageToken&prettyPrint=false");
  EXPECT_THAT(got.body, StartsWith(R"({"nextPageToken":")"));
  EXPECT_EQ(got.Field("items"), R"([{"name":"a.txt"}])");
  EXPECT_EQ(got.Field("prefixes"), R"(["d/"])");
  const Got rest = Send("GET", "/storage/v1/b/bkt/o?delimiter=/&pageToken=" +
                                   got.Field("nextPageToken"));
  EXPECT_EQ(rest.Field("prefixes"), R"(["e/"])");
  EXPECT_EQ(rest.Field("kind"), "storage#objects");
  const Got glob = Send("GET", "/storage/v1/b/bkt/o?matchGlob=**%2F1");
  EXPECT_EQ(glob.Json().at("items").as_array().size(), 2u);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o?softDeleted=true").Field("items"),
            "(absent)");
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o?fields=a(").status, 400);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o?maxResults=x").status, 400);
  EXPECT_EQ(Send("GET", "/storage/v1/b/none-such/o").status, 404);
}

TEST_F(StorageJsonTest, ObjectPatchAndUpdate) {
  ASSERT_EQ(Put("o", "1").status, 200);
  ASSERT_EQ(Send("PATCH", "/storage/v1/b/bkt/o/o", {},
                 R"({"metadata":{"a":"1","b":"2"},"cacheControl":"no-store"})")
                .status,
            200);
  const Got got = Send("PATCH", "/storage/v1/b/bkt/o/o?projection=full", {},
                       R"({"metadata":{"a":null},"contentType":"x/y",
                           "size":"99","generation":"4","md5Hash":"zz"})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("metadata"), R"({"b":"2"})");
  EXPECT_EQ(got.Field("cacheControl"), "no-store");
  EXPECT_EQ(got.Field("size"), "1");
  EXPECT_EQ(got.Field("metageneration"), "3");
  EXPECT_THAT(got.Field("owner"), HasSubstr("user-me@example.com"));
  EXPECT_THAT(got.Field("acl"), HasSubstr("user-me@example.com"));
  const Got put =
      Send("PUT", "/storage/v1/b/bkt/o/o", {}, R"({"contentType":"p/q"})");
  EXPECT_EQ(put.Field("metadata"), "(absent)");
  EXPECT_EQ(put.Field("contentType"), "p/q");
  EXPECT_EQ(
      Send("PATCH", "/storage/v1/b/bkt/o/o?ifMetaGenerationMatch=1", {}, "{}")
          .status,
      412)
      << "parameter names compare without case";
}

TEST_F(StorageJsonTest, ComposeJoinsBytesAndChecksums) {
  ASSERT_EQ(Put("a", "hel").status, 200);
  ASSERT_EQ(Put("b", std::string(100'000, 'l')).status, 200);
  const Got got = Send(
      "POST", "/storage/v1/b/bkt/o/ab/compose", {},
      R"({"destination":{"contentType":"t/x"},"sourceObjects":[{"name":"a"},
          {"name":"b"},{"name":"a"}]})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("componentCount"), "3");
  EXPECT_EQ(got.Field("md5Hash"), "(absent)");
  EXPECT_EQ(got.Field("contentType"), "t/x");
  const std::string bytes = "hel" + std::string(100'000, 'l') + "hel";
  EXPECT_EQ(Read("ab").body, bytes);
  EXPECT_EQ(got.Field("crc32c"), Put("same", bytes).Field("crc32c"));
  const Got stale = Send("POST", "/storage/v1/b/bkt/o/x/compose", {},
                         R"({"sourceObjects":[{"name":"a",
                             "objectPreconditions":{"ifGenerationMatch":"5"}}]})");
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(Send("POST", "/storage/v1/b/bkt/o/x/compose", {}, "{}").status,
            400);
  std::string many = R"({"sourceObjects":[)";
  for (int i = 0; i < 33; ++i)
    many += (i ? "," : "") + std::string("{\"name\":\"a\"}");
  EXPECT_THAT(
      Send("POST", "/storage/v1/b/bkt/o/x/compose", {}, many + "]}").body,
      HasSubstr("exceeds the maximum (32)"));
}

TEST_F(StorageJsonTest, RewriteCopyAndMove) {
  const std::string bytes(100'000, 'b');
  ASSERT_EQ(Put("a", bytes).status, 200);
  const Got rewrite =
      Send("POST", "/storage/v1/b/bkt/o/a/rewriteTo/b/bkt/o/dir%2Fb", {}, "");
  ASSERT_EQ(rewrite.status, 200) << rewrite.body;
  EXPECT_EQ(rewrite.Field("kind"), "storage#rewriteResponse");
  EXPECT_EQ(rewrite.Field("totalBytesRewritten"), "100000");
  EXPECT_EQ(rewrite.Field("done"), "true");
  EXPECT_EQ(rewrite.Json().at("resource").at("contentType").as_string(),
            "text/plain");
  const Got copy = Send("POST", "/storage/v1/b/bkt/o/a/copyTo/b/bkt/o/c", {},
                        R"({"contentType":"n/w","storageClass":"NEARLINE"})");
  EXPECT_EQ(copy.Field("contentType"), "n/w");
  EXPECT_EQ(copy.Field("storageClass"), "NEARLINE");
  ASSERT_EQ(Send("POST", "/storage/v1/b/bkt/o/a/moveTo/o/m").status, 200);
  EXPECT_EQ(Read("a").status, 404);
  for (const char* name : {"dir%2Fb", "c", "m"})
    EXPECT_EQ(Read(name).body, bytes);
  EXPECT_EQ(
      Send("POST",
           "/storage/v1/b/bkt/o/c/rewriteTo/b/bkt/o/m?ifGenerationMatch=0")
          .status,
      412);
}

TEST_F(StorageJsonTest, GzipContentIsUnpackedForWhoCannot) {
  std::string text(200'000, 'a');
  std::string packed(compressBound(text.size()) + 32, '\0');
  z_stream stream = {};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  ASSERT_EQ(Put("z", packed, "&contentEncoding=gzip").status, 200);
  const Got raw = Read("z", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(raw.body, packed);
  EXPECT_EQ(raw.Header("content-encoding"), "gzip");
  const Got plain = Read("z", {{"range", "bytes=0-3"}});
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, text);
  EXPECT_EQ(plain.Header("content-encoding"), "");
  EXPECT_EQ(plain.Header("x-goog-stored-content-encoding"), "gzip");
}

TEST_F(StorageJsonTest, CustomersKeyOpensItsObject) {
  const std::string key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  const std::string hash = "PrG9Q5lH63YpmOVmzMLgmceREYsvQFecxPfaK1Bht/k=";
  const Fields with = {{"x-goog-encryption-algorithm", "AES256"},
                       {"x-goog-encryption-key", key},
                       {"x-goog-encryption-key-sha256", hash}};
  const std::string upload =
      "/upload/storage/v1/b/bkt/o?uploadType=media&name=s";
  const Got put = Send("POST", upload, with, "secret");
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_THAT(put.Field("customerEncryption"), HasSubstr(hash));
  EXPECT_EQ(put.Field("crc32c").size(), 8u);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/s").Field("crc32c"), "(absent)");
  EXPECT_EQ(Read("s", with).body, "secret");
  const Got without = Read("s");
  EXPECT_EQ(without.status, 400);
  EXPECT_THAT(without.body, HasSubstr("customer-supplied encryption key"));
  EXPECT_EQ(Reason(Send("POST", "/storage/v1/b/bkt/o/s/copyTo/b/bkt/o/t")),
            "resourceIsEncryptedWithCustomerEncryptionKey");
  Fields source = with;
  for (auto& [name, value] : source) {
    name.insert(std::string("x-goog-").size(), "copy-source-");
  }
  const Got copy =
      Send("POST", "/storage/v1/b/bkt/o/s/copyTo/b/bkt/o/t", source);
  EXPECT_EQ(copy.status, 200) << copy.body;
  EXPECT_EQ(Read("t").body, "secret") << "not encrypted any more";
  Fields wrong = with;
  wrong[2].second[0] = 'A';
  EXPECT_EQ(Reason(Send("POST", upload, wrong, "secret")),
            "customerEncryptionKeySha256IsInvalid");
}

TEST_F(StorageJsonTest, AccessListsAndPolicies) {
  ASSERT_EQ(Put("o", "1").status, 200);
  const Got added = Send("POST", "/storage/v1/b/bkt/o/o/acl", {},
                         R"({"entity":"allUsers","role":"READER"})");
  ASSERT_EQ(added.status, 200) << added.body;
  EXPECT_EQ(added.Field("kind"), "storage#objectAccessControl");
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/o/acl")
                .Json()
                .at("items")
                .as_array()
                .size(),
            5u);
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/o/acl/allUsers").status, 204);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/o/acl/allUsers").status, 404);
  EXPECT_EQ(Send("POST", "/storage/v1/b/bkt/acl", {},
                 R"({"entity":"who-is","role":"READER"})")
                .status,
            400);
  EXPECT_EQ(Send("PUT", "/storage/v1/b/bkt/defaultObjectAcl/allUsers", {},
                 R"({"role":"READER"})")
                .status,
            404);

  const Got policy =
      Send("GET", "/storage/v1/b/bkt/iam?optionsRequestedPolicyVersion=3");
  EXPECT_EQ(policy.Field("kind"), "storage#policy");
  EXPECT_THAT(policy.Field("bindings"), HasSubstr("projectEditor:p"));
  EXPECT_EQ(policy.Field("etag"), "CAE=");
  const std::string set =
      R"({"bindings":[{"role":"roles/storage.objectAdmin",
          "members":["user:a@b.c"]}],"etag":"CAE="})";
  const Got changed = Send("PUT", "/storage/v1/b/bkt/iam", {}, set);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.Field("etag"), "CAI=");
  EXPECT_EQ(Send("PUT", "/storage/v1/b/bkt/iam", {}, set).status, 412)
      << "the etag is old now";
  EXPECT_EQ(Send("GET",
                 "/storage/v1/b/bkt/iam/testPermissions?permissions="
                 "a.b.c&permissions=d.e.f")
                .Field("permissions"),
            R"(["a.b.c","d.e.f"])");
}

TEST_F(StorageJsonTest, BatchCallsEachAndInheritsTheToken) {
  ASSERT_EQ(Put("a", "1").status, 200);
  const Got got =
      Send("POST", "/batch/storage/v1",
           {{"content-type", "multipart/mixed; boundary=\"==1==\""}},
           "--==1==\nContent-Type: application/http\n\nDELETE https://"
           "storage.googleapis.com/storage/v1/b/bkt/o/a HTTP/1.1\n\n\n"
           "--==1==\nContent-Type: application/http\nContent-ID: <7>\n\n"
           "GET /storage/v1/b/bkt/o/none HTTP/1.1\n\n\n--==1==--\n");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_THAT(got.body, HasSubstr("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(got.body, HasSubstr("Content-ID: <response-7>\r\n"));
  EXPECT_THAT(got.body, HasSubstr("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_EQ(Read("a").status, 404);
}

TEST_F(StorageJsonTest, EmptyAnswersHaveTheRightShape) {
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/managedFolders?pageSize=1000")
                .Field("items"),
            "[]");
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/notificationConfigs").Field("kind"),
            "storage#notifications");
  const Got layout = Send("GET", "/storage/v1/b/bkt/storageLayout");
  EXPECT_EQ(layout.Field("hierarchicalNamespace"), R"({"enabled":false})");
  EXPECT_EQ(layout.Field("location"), "US");
  EXPECT_EQ(Send("GET", "/storage/v1/projects/p/serviceAccount")
                .Field("email_address"),
            "service-123@gs-project-accounts.iam.gserviceaccount.com");
  EXPECT_EQ(Send("GET", "/storage/v1/nothing").status, 404);
  const Got known = Send("POST", "/storage/v1/b/bkt/folders", {}, "{}");
  EXPECT_EQ(known.status, 400);
  EXPECT_EQ(Reason(known), "METHOD_NOT_SERVED");
  const Got xml = Send("GET", "/bkt/o");
  EXPECT_EQ(xml.status, 400);
  EXPECT_THAT(xml.body, HasSubstr("<Code>METHOD_NOT_SERVED</Code>"));
}

TEST_F(StorageJsonTest, EmulatorStyleIsAnonymousAndLinksToUs) {
  const auto emulator = [&](const std::string& method,
                            const std::string& target, std::string_view body) {
    RequestHead head;
    head.method = method;
    head.base_url = "http://127.0.0.1:9443";
    head.target = target;
    return SendHead(std::move(head), body, 1000);
  };
  const Got made =
      emulator("POST", "/storage/v1/b?project=%3Cnone%3E", R"({"name":"emu"})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.Field("projectNumber"), "123");
  const Got put = emulator(
      "POST", "/upload/storage/v1/b/emu/o?uploadType=media&name=x", "1");
  EXPECT_THAT(
      put.Field("mediaLink"),
      StartsWith("http://127.0.0.1:9443/download/storage/v1/b/emu/o/x"));
  EXPECT_EQ(emulator("GET", "/b/emu/o/x?alt=media", "").body, "1");
  EXPECT_EQ(emulator("GET", "/b", "").status, 200);
  RequestHead other;
  other.target = "/v1/projects";
  EXPECT_FALSE(storage_->Owns(other));
}

TEST_F(StorageJsonTest, WrongTokenIsRefusedAndCallsAreRecorded) {
  const Got got =
      Send("GET", "/storage/v1/b/bkt", {{"authorization", "Bearer bad"}});
  EXPECT_EQ(got.status, 401);
  EXPECT_THAT(got.body, HasSubstr("Invalid Credentials"));
  EXPECT_EQ(Reason(got), "authError");
  decisions_.clear();
  ASSERT_EQ(Put("o", "1").status, 200);
  ASSERT_EQ(decisions_.size(), 1u);
  EXPECT_EQ(decisions_[0].permission, "storage.objects.create");
  EXPECT_EQ(decisions_[0].resource, "projects/_/buckets/bkt");
  EXPECT_EQ(decisions_[0].principal, "user:me@example.com");
}

TEST_F(StorageJsonTest, HoldsAndRetentionKeepObjects) {
  ASSERT_EQ(Put("h", "1").status, 200);
  ASSERT_EQ(
      Send("PATCH", "/storage/v1/b/bkt/o/h", {}, R"({"temporaryHold":true})")
          .status,
      200);
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/h").status, 403);
  ASSERT_EQ(Send("PATCH", "/storage/v1/b/bkt", {},
                 R"({"retentionPolicy":{"retentionPeriod":"100"}})")
                .status,
            200);
  const Got put = Put("r", "1");
  EXPECT_EQ(put.Field("retentionExpirationTime"), "2023-11-14T22:15:00.000Z");
  const Got kept = Send("DELETE", "/storage/v1/b/bkt/o/r");
  EXPECT_EQ(kept.status, 403);
  EXPECT_EQ(Reason(kept), "retentionPolicyNotMet");
  clock_.Advance(absl::Seconds(101));
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/r").status, 204);
}

TEST_F(StorageJsonTest, FullDiskIsToldAndLosesNothing) {
  ASSERT_EQ(Put("o", "before").status, 200);
  disk_.SetFreeSpace(1000);
  const Got got = Put("o", std::string(200'000, 'x'));
  EXPECT_EQ(got.status, 429);
  EXPECT_EQ(Read("o").body, "before");
}

TEST_F(StorageJsonTest, NamesThatEscapeAreRefused) {
  for (const char* name : {"..", "a%00b", "a%0Ab", "%FF"}) {
    EXPECT_EQ(Put(name, "1").status, 400) << name;
  }
  EXPECT_EQ(Put(std::string(1025, 'a'), "1").status, 400);
  EXPECT_EQ(Put("a%2F..%2Fb", "1").status, 200) << "a plain name to the API";
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/%zz").status, 400);
}

}  // namespace
}  // namespace brume::api::storage

#include "api/storage/storage_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace brume::api::storage {
namespace {

class StorageDataTest : public StorageJsonTest {};

using testing::HasSubstr;

TEST_F(StorageDataTest, UploadedObjectIsShownAndRead) {
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
  EXPECT_EQ(got.Header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
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

TEST_F(StorageDataTest, LargeObjectIsAFileAndSurvivesARestart) {
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

TEST_F(StorageDataTest, MultipartUploadsOfEveryClientAreTaken) {
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

TEST_F(StorageDataTest, ResumableUploadGoesOnAfterARestart) {
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

TEST_F(StorageDataTest, ResumableUploadInItsOtherForms) {
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

TEST_F(StorageDataTest, ResumableUploadEndsByCancelAndByFailure) {
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

TEST_F(StorageDataTest, BytesOfAClientThatWentAwayAreKept) {
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

TEST_F(StorageDataTest, GzipContentIsUnpackedForWhoCannot) {
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

TEST_F(StorageDataTest, CustomersKeyOpensItsObject) {
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

TEST_F(StorageDataTest, FullDiskIsToldAndLosesNothing) {
  ASSERT_EQ(Put("o", "before").status, 200);
  disk_.SetFreeSpace(1000);
  const Got got = Put("o", std::string(200'000, 'x'));
  EXPECT_EQ(got.status, 429);
  EXPECT_EQ(Read("o").body, "before");
}

TEST_F(StorageDataTest, NamesThatEscapeAreRefused) {
  for (const char* name : {"..", "a%00b", "a%0Ab", "%FF"}) {
    EXPECT_EQ(Put(name, "1").status, 400) << name;
  }
  EXPECT_EQ(Put(std::string(1025, 'a'), "1").status, 400);
  EXPECT_EQ(Put("a%2F..%2Fb", "1").status, 200) << "a plain name to the API";
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/%zz").status, 400);
}

}  // namespace
}  // namespace brume::api::storage

#include "client/storage_client.h"

#include "client/scripted_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::client {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string Range308(uint64_t last) {
  return "HTTP/1.1 308 Resume\r\nRange: bytes=0-" + std::to_string(last) +
         "\r\nContent-Length: 0\r\n\r\n";
}

class StorageClientTest : public testing::Test {
 protected:
  StorageClient On(const ScriptedServer& server) {
    return StorageClient({.api = &api_, .base_url = server.url()});
  }
  UploadSource Source(const std::string& bytes) {
    return {.read = [&bytes](uint64_t offset, char* out,
                             size_t size) -> absl::StatusOr<size_t> {
              return bytes.copy(out, size, offset);
            },
            .size = bytes.size(),
            .content_type = "text/plain"};
  }
  static std::string ObjectReply(const std::string& bytes) {
    return JsonReply(200,
                     R"({"bucket":"b","name":"n","generation":"5","size":")" +
                         std::to_string(bytes.size()) + R"(","crc32c":")" +
                         Crc32cText(ExtendCrc32c(0, bytes)) + "\"}");
  }
  Progress Count() {
    return [this](int64_t bytes) { progress_ += bytes; };
  }

  std::unique_ptr<Transport> transport_ = *Transport::Create({});
  HttpClient http_{transport_.get()};
  GoogleApi api_{{.http = &http_, .sleep = [](absl::Duration) {}}};
  int64_t progress_ = 0;
};

TEST_F(StorageClientTest, ChecksumsAreTheApis) {
  // RFC 3720, B.4: CRC32C of 32 bytes of zeros is 0x8a9136aa.
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(ExtendCrc32c(ExtendCrc32c(0, "1234"), "56789"),
            ExtendCrc32c(0, "123456789"));
  EXPECT_EQ(Crc32cText(ExtendCrc32c(0, "123456789")), "4waSgw==");
}

TEST_F(StorageClientTest, SmallObjectsGoInOneRequestAndAreTriedAgain) {
  const std::string bytes = "hello\r\n--x";
  ScriptedServer server({JsonReply(503, "{}"), ObjectReply(bytes)});
  const auto object = On(server).Upload("b", "a/n", Source(bytes), Count());
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->generation, 5);
  EXPECT_EQ(progress_, 10);
  EXPECT_THAT(server.requests()[1], HasSubstr(R"("name":"a/n")"));
  EXPECT_THAT(server.requests()[1], HasSubstr(bytes));
}

TEST_F(StorageClientTest, ALargeUploadGoesOnFromWhatTheServiceHas) {
  const std::string bytes(9 << 20, 'z');
  ScriptedServer session(
      {JsonReply(503, "{}"), Range308((4 << 20) - 1), ObjectReply(bytes)});
  ScriptedServer start({"HTTP/1.1 200 OK\r\nLocation: " + session.url() +
                        "/up?upload_id=1\r\nContent-Length: 0\r\n\r\n"});
  const auto object = On(start).Upload("b", "n", Source(bytes), Count());
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(progress_, 9 << 20);
  ASSERT_THAT(session.requests(), SizeIs(3));
  EXPECT_THAT(session.requests()[0],
              HasSubstr("Content-Range: bytes 0-9437183/9437184"));
  EXPECT_THAT(session.requests()[1],
              HasSubstr("Content-Range: bytes */9437184"));
  EXPECT_THAT(session.requests()[2],
              HasSubstr("Content-Range: bytes 4194304-9437183/9437184"));
}

TEST_F(StorageClientTest, ADownloadGoesOnAfterItsConnectionBroke) {
  const std::string bytes = "0123456789";
  ScriptedServer server(
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123",
       "HTTP/1.1 206 P\r\nContent-Length: 6\r\n\r\n456789"});
  ObjectInfo object = {.bucket = "b",
                       .name = "n",
                       .size = 10,
                       .generation = 5,
                       .crc32c = Crc32cText(ExtendCrc32c(0, bytes))};
  std::string taken;
  const auto take = [&](std::string_view piece) {
    taken += piece;
    return absl::OkStatus();
  };
  ASSERT_TRUE(On(server).Download(object, take, Count()).ok());
  EXPECT_EQ(taken, bytes);
  EXPECT_THAT(server.requests()[1], HasSubstr("Range: bytes=4-"));
  EXPECT_THAT(server.requests()[1], HasSubstr("generation=5"));
}

TEST_F(StorageClientTest, BytesThatDifferAreRefused) {
  ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabX",
                         ObjectReply("other")});
  const ObjectInfo object = {.bucket = "b",
                             .name = "n",
                             .size = 3,
                             .crc32c = Crc32cText(ExtendCrc32c(0, "abc"))};
  const auto drop = [](std::string_view) { return absl::OkStatus(); };
  EXPECT_TRUE(absl::IsDataLoss(On(server).Download(object, drop, Count())));
  const std::string bytes = "mine";
  EXPECT_TRUE(absl::IsDataLoss(
      On(server).Upload("b", "n", Source(bytes), Count()).status()));
}

}  // namespace
}  // namespace brume::client

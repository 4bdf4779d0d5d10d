#include "api/storage/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::api::storage {
namespace {

using testing::HasSubstr;

// As google-cloud-storage writes it: LF, absolute URLs, no Content-ID.
constexpr std::string_view kPython =
    "--==1==\nContent-Type: application/http\nMIME-Version: 1.0\n\n"
    "DELETE https://storage.googleapis.com/storage/v1/b/stg/o/big.bin"
    "?prettyPrint=false HTTP/1.1\nAccept-Encoding: gzip\n\n\n"
    "--==1==\nContent-Type: application/http\n\n"
    "PATCH /storage/v1/b/stg/o/x HTTP/1.1\ncontent-type: application/json\n\n"
    "{\"a\": 1}\n--==1==--\n";

TEST(BatchTest, CallsAreTakenApart) {
  const auto parts = ParseBatch("multipart/mixed; boundary=\"==1==\"", kPython);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].head.method, "DELETE");
  EXPECT_EQ((*parts)[0].head.target,
            "/storage/v1/b/stg/o/big.bin?prettyPrint=false");
  EXPECT_EQ((*parts)[0].head.headers.Get("accept-encoding"), "gzip");
  EXPECT_EQ((*parts)[0].body, "");
  EXPECT_EQ((*parts)[1].head.method, "PATCH");
  EXPECT_EQ((*parts)[1].body, "{\"a\": 1}");
}

TEST(BatchTest, RepliesStandInOrderUnderTheirIds) {
  std::vector<BatchPart> parts(2);
  parts[0].content_id = "<b29c5de2-0db4+1>";
  parts[1].head.method = "DELETE";
  const Response reply = BatchReply(parts, [](const BatchPart& part) {
    Response response;
    response.status = part.head.method == "DELETE" ? 204 : 200;
    response.body = std::string(part.head.method.empty() ? "{}" : "");
    return response;
  });
  const auto type = reply.headers.Get("content-type");
  ASSERT_TRUE(type);
  // gcsfs splits at "=": no quotes.
  const std::string boundary(type->substr(type->find('=') + 1));
  EXPECT_THAT(boundary, testing::StartsWith("batch_"));
  EXPECT_EQ(std::get<std::string>(reply.body),
            "--" + boundary +
                "\r\nContent-Type: application/http\r\n"
                "Content-ID: <response-b29c5de2-0db4+1>\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\r\n--" +
                boundary +
                "\r\nContent-Type: application/http\r\n\r\n"
                "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n\r\n--" +
                boundary + "--\r\n");
}

TEST(BatchTest, MalformedBatchesNameThePart) {
  const auto refuse = [](std::string_view type, std::string_view body) {
    const auto parts = ParseBatch(type, body);
    return parts.ok() ? "taken" : std::string(parts.status().message());
  };
  EXPECT_THAT(refuse("application/json", "{}"), HasSubstr("boundary"));
  EXPECT_THAT(refuse("multipart/mixed; boundary=b", ""), HasSubstr("closing"));
  EXPECT_THAT(refuse("multipart/mixed; boundary=b", "--b--"),
              HasSubstr("no calls"));
  EXPECT_THAT(refuse("multipart/mixed; boundary=b", "--b\n\nhello\n--b--"),
              HasSubstr("part 1: it has no request line"));
  EXPECT_THAT(refuse("multipart/mixed; boundary=b",
                     "--b\n\nGET storage HTTP/1.1\n\n--b--"),
              HasSubstr("part 1: its URL is malformed"));
}

}  // namespace
}  // namespace brume::api::storage

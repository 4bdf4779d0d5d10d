#include "api/storage/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::api::storage {
namespace {

using testing::ElementsAre;

// Parts as "content-type|data", with the end's status.
std::vector<std::string> Read(const std::string& boundary,
                              std::string_view body, size_t piece = 1 << 20) {
  std::vector<std::string> parts;
  MultipartReader reader(
      boundary,
      {.begin_part =
           [&](const PartHeaders& headers) {
             parts.push_back(std::string(headers.Get("Content-Type")) + "|");
             return absl::OkStatus();
           },
       .data =
           [&](std::string_view bytes) {
             parts.back() += bytes;
             return absl::OkStatus();
           },
       .end_part = [] { return absl::OkStatus(); }});
  for (size_t at = 0; at < body.size(); at += piece) {
    const absl::Status status = reader.Write(body.substr(at, piece));
    if (!status.ok()) return {std::string(status.message())};
  }
  if (!reader.Finish().ok()) parts.push_back("unfinished");
  return parts;
}

TEST(MultipartTest, BoundaryIsTakenInAnyQuotes) {
  EXPECT_EQ(BoundaryOf("multipart/related; boundary=abc"), "abc");
  EXPECT_EQ(BoundaryOf("multipart/related; boundary='===1=='"), "===1==");
  EXPECT_EQ(BoundaryOf("multipart/related; boundary=\"a b\"; x=y"), "a b");
  EXPECT_EQ(BoundaryOf("multipart/related; charset=\"a;b\"; Boundary=c"), "c");
  EXPECT_EQ(BoundaryOf("multipart/related"), std::nullopt);
  EXPECT_EQ(BoundaryOf("multipart/related; boundary="), std::nullopt);
  EXPECT_EQ(BoundaryOf("multipart/related; boundary=\"a"), std::nullopt);
  EXPECT_EQ(BoundaryOf("multipart/related; boundary=" + std::string(71, 'a')),
            std::nullopt);
}

// How clients write it (gsutil and gcsfs: LF; Python and Node: CRLF), in pieces
// of every size.
TEST(MultipartTest, PartsComeOutWhateverTheLineEndsAndPieces) {
  for (const std::string eol : {"\n", "\r\n"}) {
    std::string body = "--B" + eol + "Content-Type: application/json" + eol +
                       eol + "{\"name\":\"x\"}" + eol + "--B" + eol +
                       "Content-Type: text/plain" + eol + eol +
                       "one\n--Bee\r\n--\r\n\n" + eol + "--B--" + eol;
    for (size_t piece = 1; piece <= body.size(); ++piece) {
      ASSERT_THAT(Read("B", body, piece),
                  ElementsAre("application/json|{\"name\":\"x\"}",
                              "text/plain|one\n--Bee\r\n--\r\n\n"))
          << piece;
    }
  }
}

TEST(MultipartTest, EmptyPartsAndPaddingAndSurroundingsAreTaken) {
  EXPECT_THAT(Read("B", "preamble\r\n--B \t\r\n\r\n\r\n--B\r\n\r\n--B--junk"),
              ElementsAre("|", "|"));
  EXPECT_THAT(Read("B", "--B\n\n\n--B--"), ElementsAre("|"));
}

TEST(MultipartTest, WhatIsNotClosedIsNotFinished) {
  EXPECT_THAT(Read("B", "--B\n\ndata"), ElementsAre("|", "unfinished"));
  EXPECT_THAT(Read("B", "no boundary at all"), ElementsAre("unfinished"));
  EXPECT_THAT(Read("B", "--B\n" + std::string(20000, 'h')),
              ElementsAre("Malformed multipart body: a part's headers are too "
                          "long."));
}

}  // namespace
}  // namespace brume::api::storage

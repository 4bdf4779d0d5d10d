#include "front/inflater.h"

#include <gtest/gtest.h>

#include <string>

namespace brume::front {
namespace {

std::string Gzip(const std::string& text) {
  z_stream zlib{};
  deflateInit2(&zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zlib, text.size()) + 64, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  deflate(&zlib, Z_FINISH);
  out.resize(out.size() - zlib.avail_out);
  deflateEnd(&zlib);
  return out;
}

// In pieces of `step` bytes; "<invalid>" and "<short>" for what is not whole.
std::string Inflate(const std::string& bytes, size_t step) {
  Inflater inflater;
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += step) {
    const bool valid = inflater.Feed(std::string_view(bytes).substr(i, step),
                                     [&out](std::string_view piece) {
                                       out.append(piece);
                                       return true;
                                     });
    if (!valid) return "<invalid>";
  }
  return inflater.ended() ? out : "<short>";
}

TEST(InflaterTest, InflatesInPiecesOfAnySize) {
  // More than one output buffer, from few bytes.
  const std::string text(300 * 1000, 'x');
  const std::string bytes = Gzip(text);
  for (size_t step : {size_t{1}, size_t{7}, bytes.size()}) {
    EXPECT_EQ(Inflate(bytes, step), text) << step;
  }
}

TEST(InflaterTest, SeveralMembersAreOneBody) {
  const std::string bytes = Gzip("one ") + Gzip("") + Gzip("two");
  EXPECT_EQ(Inflate(bytes, 1), "one two");
  EXPECT_EQ(Inflate(bytes, bytes.size()), "one two");
}

TEST(InflaterTest, WhatIsNotGzipIsRefused) {
  const std::string bytes = Gzip("hello");
  EXPECT_EQ(Inflate("plain text", 100), "<invalid>");
  EXPECT_EQ(Inflate(bytes + "tail", 100), "<invalid>");
  EXPECT_EQ(Inflate(bytes.substr(0, bytes.size() - 3), 100), "<short>");
}

TEST(InflaterTest, ASinkMayEndIt) {
  Inflater inflater;
  int pieces = 0;
  EXPECT_TRUE(
      inflater.Feed(Gzip(std::string(1000 * 1000, 'x')), [&](std::string_view) {
        ++pieces;
        return false;
      }));
  EXPECT_EQ(pieces, 1);
}

}  // namespace
}  // namespace brume::front

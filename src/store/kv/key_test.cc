#include "store/kv/key.h"

#include "store/kv/kv_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <variant>

namespace brume::store {
namespace {

constexpr uint32_t kSeed = 7;

// Short strings over the bytes that the escape could get wrong.
std::string AnyText(std::mt19937& random) {
  static constexpr std::string_view kBytes(
      "\x00\x01\x02\xfe\xff"
      "ab",
      7);
  std::string text;
  for (int i = random() % 5; i > 0; --i) {
    text.push_back(kBytes[random() % kBytes.size()]);
  }
  return text;
}

uint64_t AnyNumber(std::mt19937& random) {
  const uint64_t bits = static_cast<uint64_t>(random()) << 32 | random();
  return bits >> (random() % 64);
}

TEST(KeyTest, ElementsComeBack) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    const std::string table = AnyText(random);
    const std::string text = AnyText(random);
    const uint64_t number = AnyNumber(random);

    const Key key =
        Key(table).AddInt(number).Add(text).AddIntDescending(number);

    KeyParser parser(key.str());
    ASSERT_EQ(parser.Next(), table);
    ASSERT_EQ(parser.NextInt(), number);
    ASSERT_EQ(parser.Next(), text);
    ASSERT_FALSE(parser.done());
    ASSERT_EQ(parser.NextIntDescending(), number);
    ASSERT_TRUE(parser.done());
  }
}

TEST(KeyTest, BytesOrderAsTuplesDo) {
  using Tuple = std::tuple<std::string, std::string, uint64_t>;
  std::mt19937 random(kSeed);
  const auto any = [&] {
    return Tuple(AnyText(random), AnyText(random), AnyNumber(random) % 300);
  };
  const auto bytes = [](const Tuple& tuple) {
    return Key(std::get<0>(tuple))
        .Add(std::get<1>(tuple))
        .AddInt(std::get<2>(tuple))
        .str();
  };
  for (int i = 0; i < 5000; ++i) {
    const Tuple a = any();
    const Tuple b = any();
    ASSERT_EQ(a < b, bytes(a) < bytes(b)) << "seed " << kSeed << " round " << i;
  }
}

TEST(KeyTest, DescendingNumbersOrderBackwards) {
  EXPECT_GT(Key("t").AddIntDescending(1).str(),
            Key("t").AddIntDescending(2).str());
  EXPECT_GT(Key("t").AddIntDescending(255).str(),
            Key("t").AddIntDescending(256).str());
}

TEST(KeyTest, NoTextsKeyIsAPrefixOfAnothers) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 5000; ++i) {
    const std::string a = AnyText(random);
    const std::string b = AnyText(random);
    if (a == b) continue;
    ASSERT_FALSE(Key(a).str().starts_with(Key(b).str()));
  }
}

TEST(KeyTest, OpenTextCoversExactlyTheNamesThatBeginSo) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 5000; ++i) {
    const std::string prefix = AnyText(random);
    const std::string name = AnyText(random);
    const KeyRange range =
        KeyRange::Prefix(Key("object").Add("b").WithOpenText(prefix));
    const std::string key = Key("object").Add("b").Add(name).str();
    const bool inside =
        key >= range.begin && (range.end.empty() || key < range.end);
    ASSERT_EQ(inside, name.starts_with(prefix))
        << "seed " << kSeed << " round " << i;
  }
}

TEST(KeyTest, BrokenBytesDoNotParse) {
  EXPECT_EQ(KeyParser("").Next(), std::nullopt);
  EXPECT_EQ(KeyParser("abc").Next(), std::nullopt);
  EXPECT_EQ(KeyParser(std::string_view("a\0", 2)).Next(), std::nullopt);
  EXPECT_EQ(KeyParser(std::string_view("a\0\x02", 3)).Next(), std::nullopt);
  EXPECT_EQ(KeyParser("1234567").NextInt(), std::nullopt);
}

}  // namespace
}  // namespace brume::store

#include "api/json/field_selector.h"

#include "api/json/json.h"

#include <gtest/gtest.h>

namespace brume::api {
namespace {

std::string Select(std::string_view fields, std::string_view text) {
  auto value = ParseJson(text);
  const auto selector = FieldSelector::Parse(fields);
  if (!selector.ok()) return std::string(selector.status().message());
  selector->Apply(&*value);
  return PrintJson(*value, false);
}

constexpr std::string_view kList =
    R"({"kind":"k","items":[{"name":"a","size":"1"},{"name":"b"}],)"
    R"("nextPageToken":"t","owner":{"id":{"x":1,"y":2}}})";

TEST(FieldSelectorTest, SelectsThroughArraysAndObjects) {
  EXPECT_EQ(Select("items(name),nextPageToken", kList),
            R"({"items":[{"name":"a"},{"name":"b"}],"nextPageToken":"t"})");
  EXPECT_EQ(Select("items/size", kList), R"({"items":[{"size":"1"},{}]})");
  EXPECT_EQ(Select("owner.id(y)", kList), R"({"owner":{"id":{"y":2}}})");
  EXPECT_EQ(Select("*", kList), std::string(kList));
  EXPECT_EQ(Select("", kList), std::string(kList));
  EXPECT_EQ(Select("next_page_token", kList), R"({"nextPageToken":"t"})");
}

TEST(FieldSelectorTest, TheWiderSelectionWins) {
  EXPECT_EQ(Select("owner,owner/id/x", kList),
            R"({"owner":{"id":{"x":1,"y":2}}})");
  EXPECT_EQ(Select("owner/id/x,owner", kList),
            R"({"owner":{"id":{"x":1,"y":2}}})");
}

TEST(FieldSelectorTest, RefusesWhatIsNoSelector) {
  for (const char* bad : {"items(", "items)", ",", "a,", "a/", "(a)", "a b"}) {
    EXPECT_FALSE(FieldSelector::Parse(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace brume::api

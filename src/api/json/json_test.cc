#include "api/json/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::api {
namespace {

using testing::HasSubstr;

TEST(JsonTest, PrintsAsGoogleDoes) {
  const auto value = ParseJson(
      R"({"a":1,"b":[true,null,"x\n"],"c":{},"d":[],"e":0.5,"f":1e300})");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(
      PrintJson(*value, false),
      R"({"a":1,"b":[true,null,"x\n"],"c":{},"d":[],"e":0.5,"f":1e+300})");
  EXPECT_EQ(PrintJson(*value, true),
            "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null,\n    \"x\\n\"\n"
            "  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": 0.5,\n"
            "  \"f\": 1e+300\n}\n");
}

TEST(JsonTest, RefusesRepeatedNamesAtAnyDepth) {
  EXPECT_THAT(
      std::string(ParseJson(R"({"a":{"b":1,"c":2,"b":3}})").status().message()),
      HasSubstr("Repeated name \"b\""));
  EXPECT_TRUE(ParseJson(R"({"a":{"b":1},"b":{"b":2}})").ok());
}

TEST(JsonTest, ShowsThePlaceOfAFault) {
  EXPECT_EQ(ParseJson("{\"a\": nope}").status().message(),
            "Invalid JSON payload received. Unexpected token.\n"
            "{\"a\": nope}\n      ^");
  EXPECT_THAT(std::string(ParseJson("").status().message()),
              HasSubstr("Unexpected end of string"));
  EXPECT_THAT(std::string(ParseJson("{} x").status().message()),
              HasSubstr("Parsing terminated before end of input."));
}

TEST(JsonTest, RefusesDeepNestingAndBadUtf8) {
  EXPECT_FALSE(ParseJson(std::string(200, '[') + std::string(200, ']')).ok());
  EXPECT_FALSE(ParseJson("\"\xff\"").ok());
  EXPECT_FALSE(ParseJson("// a comment\n{}").ok());
}

}  // namespace
}  // namespace brume::api

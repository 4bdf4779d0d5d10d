#include "api/json/field_selector.h"

#include <boost/json/parse.hpp>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto selector = brume::api::FieldSelector::Parse(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (selector.ok()) {
    boost::json::value value = boost::json::parse(
        R"({"kind":"k","items":[{"name":"a","size":"1","acl":[{"role":"r"}]}],"a":{"b":{"c":1}}})");
    selector->Apply(&value);
  }
  return 0;
}

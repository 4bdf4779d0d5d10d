#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// Lenient reads of replies: what is missing or of another type reads as empty.
namespace brume::client {

const boost::json::value* Field(const boost::json::value& value,
                                std::string_view name);
std::string TextField(const boost::json::value& value, std::string_view name);
// int64 comes as a number or as a string.
int64_t NumberField(const boost::json::value& value, std::string_view name);
bool FlagField(const boost::json::value& value, std::string_view name);

}  // namespace brume::client

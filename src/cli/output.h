#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

// What commands print. Colour only on a terminal and without NO_COLOR
// (no-color.org); tables have no borders, so that they can be cut and sorted.
namespace brume::cli {

void Print(std::string_view text);
// "brume: MESSAGE" on stderr.
void PrintError(std::string_view message);
// A hint on stderr, dimmed.
void PrintNote(std::string_view message);
// Indented by two spaces.
void PrintJson(const boost::json::value& value);

// Rows in columns; the first row is the head.
std::string Table(const std::vector<std::vector<std::string>>& rows);

enum class Colour { kGreen, kYellow, kRed, kDim };
std::string Painted(std::string_view text, Colour colour);

}  // namespace brume::cli

#include "cli/output.h"

#include "base/str_cat.h"

#include <boost/json/serialize.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace brume::cli {
namespace {

namespace json = boost::json;

bool IsPainted(int fd) {
  const char* off = std::getenv("NO_COLOR");
  return ::isatty(fd) == 1 && (off == nullptr || *off == '\0');
}

std::string_view CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kGreen:
      return "32";
    case Colour::kYellow:
      return "33";
    case Colour::kRed:
      return "31";
    case Colour::kDim:
      return "2";
  }
  return "0";
}

std::string PaintedOn(int fd, std::string_view text, Colour colour) {
  if (!IsPainted(fd)) return std::string(text);
  return base::StrCat("\033[", CodeOf(colour), "m", text, "\033[0m");
}

void Write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

void Format(const json::value& value, size_t indent, std::string& out) {
  const std::string inner(indent + 2, ' ');
  if (const json::object* object = value.if_object();
      object != nullptr && !object->empty()) {
    std::string_view before = "{\n";
    for (const auto& [name, item] : *object) {
      base::StrAppend(&out, before, inner, json::serialize(name), ": ");
      Format(item, indent + 2, out);
      before = ",\n";
    }
    base::StrAppend(&out, "\n", std::string(indent, ' '), "}");
  } else if (const json::array* array = value.if_array();
             array != nullptr && !array->empty()) {
    std::string_view before = "[\n";
    for (const json::value& item : *array) {
      base::StrAppend(&out, before, inner);
      Format(item, indent + 2, out);
      before = ",\n";
    }
    base::StrAppend(&out, "\n", std::string(indent, ' '), "]");
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

void Print(std::string_view text) { Write(stdout, text); }

void PrintError(std::string_view message) {
  Write(stderr, base::StrCat(PaintedOn(STDERR_FILENO, "brume:", Colour::kRed),
                             " ", message, "\n"));
}

void PrintNote(std::string_view message) {
  Write(stderr, PaintedOn(STDERR_FILENO, base::StrCat("brume: ", message),
                          Colour::kDim) +
                    "\n");
}

void PrintJson(const json::value& value) {
  std::string out;
  Format(value, 0, out);
  Print(out + "\n");
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    const bool head = &row == &rows.front();
    base::StrAppend(&out, head ? Painted(line, Colour::kDim) : line, "\n");
  }
  return out;
}

std::string Painted(std::string_view text, Colour colour) {
  return PaintedOn(STDOUT_FILENO, text, colour);
}

}  // namespace brume::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brume::store {

// Builds keys from tuples so that the bytes order as the tuples do, and no
// tuple's key is a prefix of another's by accident. Strings are escaped (0x00
// becomes 0x00 0xff) and closed by 0x00 0x01; integers are 8 bytes big-endian.
//   Key("project").Add(id).str()
// The first element names the table.
class Key {
 public:
  explicit Key(std::string_view table) { Add(table); }
  Key& Add(std::string_view text);
  Key& AddInt(uint64_t number);
  // As AddInt, later numbers first.
  Key& AddIntDescending(uint64_t number);
  const std::string& str() const { return bytes_; }
  // This key followed by an element that begins with `text`: with
  // KeyRange::Prefix, every key whose next element has that prefix.
  std::string WithOpenText(std::string_view text) const;

 private:
  std::string bytes_;
};

// Takes a key apart again, element by element; nullopt when it does not fit.
class KeyParser {
 public:
  explicit KeyParser(std::string_view bytes) : rest_(bytes) {}
  std::optional<std::string> Next();
  std::optional<uint64_t> NextInt();
  std::optional<uint64_t> NextIntDescending();
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace brume::store

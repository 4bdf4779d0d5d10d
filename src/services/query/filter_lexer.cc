#include "services/query/filter_lexer.h"

#include "base/str_cat.h"

#include <algorithm>
#include <cctype>

namespace brume::services::query {
namespace {

bool WordByte(char c) {
  const unsigned char u = static_cast<unsigned char>(c);
  if (u >= 0x80 || std::isalnum(u)) return true;
  switch (c) {
    case '_':
    case '/':
    case '@':
    case '*':
    case '+':
    case '#':
    case '$':
    case '%':
    case '&':
    case ';':
    case '?':
    case '\\':
    case '^':
    case '`':
    case '{':
    case '}':
    case '|':
    case '~':
      return true;
    default:
      return false;
  }
}

class Lexer {
 public:
  Lexer(std::string_view text, Dialect dialect)
      : text_(text), dialect_(dialect) {}

  absl::StatusOr<std::vector<Token>> Run() {
    bool spaced = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' && dialect_ == Dialect::kLogging) {
        Add(Token::Kind::kNewline, "\n", at_, spaced);
        ++at_;
        spaced = true;
        continue;
      }
      if (std::isspace(static_cast<unsigned char>(c))) {
        spaced = true;
        ++at_;
        continue;
      }
      if (c == '-' && dialect_ == Dialect::kLogging &&
          text_.substr(at_, 2) == "--") {  // a comment to the line's end
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '"' || (c == '\'' && dialect_ != Dialect::kLogging)) {
        if (const absl::Status status = Quoted(spaced); !status.ok()) {
          return status;
        }
      } else if (!Symbol(spaced)) {
        const size_t begin = at_;
        while (at_ < text_.size() && InWord(begin)) ++at_;
        if (at_ == begin) {
          return FilterFault(
              base::StrCat("unexpected '", std::string_view(&text_[at_], 1),
                           "'"),
              at_);
        }
        Add(Token::Kind::kText, text_.substr(begin, at_ - begin), begin,
            spaced);
      }
      spaced = false;
    }
    Add(Token::Kind::kEnd, "", text_.size(), spaced);
    return std::move(tokens_);
  }

 private:
  void Add(Token::Kind kind, std::string_view text, size_t at, bool spaced) {
    tokens_.push_back({kind, std::string(text), at, spaced});
  }

  bool Symbol(bool spaced) {
    static constexpr std::string_view kSymbols[] = {
        "<=", ">=", "!=", "=~", "!~", "(", ")", ",", ".", ":", "=", "<", ">"};
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(at_, symbol.size()) != symbol) continue;
      Add(Token::Kind::kSymbol, symbol, at_, spaced);
      at_ += symbol.size();
      return true;
    }
    // A "-" that begins a restriction negates it; "-5" after a comparator is a
    // number, which the parser puts together.
    if (text_[at_] == '-') {
      Add(Token::Kind::kSymbol, "-", at_, spaced);
      ++at_;
      return true;
    }
    return false;
  }

  // Whether the byte at `at_` goes on with the word that began at `begin`.
  // Times ("2026-01-02T03:04:05Z") and numbers hold ":", "." and "-".
  bool InWord(size_t begin) const {
    const char c = text_[at_];
    if (WordByte(c)) return true;
    if (at_ == begin) return false;
    if (c == '-') return true;
    const bool number =
        std::isdigit(static_cast<unsigned char>(text_[begin])) != 0;
    if (!number || at_ + 1 >= text_.size()) return false;
    return (c == '.' || c == ':') &&
           std::isdigit(static_cast<unsigned char>(text_[at_ + 1]));
  }

  absl::Status Quoted(bool spaced) {
    const char quote = text_[at_];
    const size_t begin = at_++;
    std::string value;
    while (true) {
      if (at_ >= text_.size()) return FilterFault("unclosed quote", begin);
      const char c = text_[at_++];
      if (c == quote) break;
      if (c != '\\') {
        value += c;
        continue;
      }
      if (at_ >= text_.size()) return FilterFault("unclosed quote", begin);
      const char escaped = text_[at_++];
      switch (escaped) {
        case 'n':
          value += '\n';
          break;
        case 't':
          value += '\t';
          break;
        case 'r':
          value += '\r';
          break;
        case '"':
        case '\'':
        case '\\':
          value += escaped;
          break;
        default:
          // Regular expressions are written with single backslashes ("\d").
          value += '\\';
          value += escaped;
      }
    }
    Add(Token::Kind::kString, value, begin, spaced);
    return absl::OkStatus();
  }

  std::string_view text_;
  const Dialect dialect_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

absl::Status FilterFault(std::string_view what, size_t at) {
  return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
      "Unparseable filter: ", what, " at character ", at + 1, ".")));
}

absl::StatusOr<std::vector<Token>> Lex(std::string_view text, Dialect dialect) {
  return Lexer(text, dialect).Run();
}

}  // namespace brume::services::query

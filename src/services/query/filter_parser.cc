#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/query/filter.h"
#include "services/query/filter_lexer.h"
#include "services/query/filter_node.h"

#include <utility>

namespace brume::services::query {
namespace {

using Node = Filter::Node;
using NodePtr = std::unique_ptr<Node>;

constexpr int kMaxDepth = 100;
constexpr size_t kMaxLength = 20000;  // Logging's bound on a filter

//   expression = sequence *("AND" sequence)
//   sequence   = factor *(factor)          (white space is AND)
//   factor     = term *("OR" term)         (OR binds tighter: AIP-160)
//   term       = ["NOT" | "-"] simple
//   simple     = "(" expression ")" | restriction
class Parser {
 public:
  Parser(std::vector<Token> tokens, Dialect dialect)
      : tokens_(std::move(tokens)), dialect_(dialect) {}

  absl::StatusOr<NodePtr> Run() {
    SkipNewlines();
    if (Now().kind == Token::Kind::kEnd) return NodePtr();
    ASSIGN_OR_RETURN(NodePtr root, Expression(0));
    SkipNewlines();
    if (Now().kind != Token::Kind::kEnd) {
      return FilterFault(base::StrCat("unexpected '", Now().text, "'"),
                         Now().at);
    }
    return root;
  }

 private:
  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead() const {
    return tokens_[std::min(at_ + 1, tokens_.size() - 1)];
  }
  bool Is(std::string_view symbol) const {
    return Now().kind == Token::Kind::kSymbol && Now().text == symbol;
  }
  bool IsWord(std::string_view word) const {
    return Now().kind == Token::Kind::kText && Now().text == word;
  }
  void SkipNewlines() {
    while (Now().kind == Token::Kind::kNewline) ++at_;
  }
  // Whether a factor can begin here.
  bool Begins() const {
    if (Now().kind == Token::Kind::kEnd || Is(")")) return false;
    return !IsWord("AND") && !IsWord("OR");
  }

  absl::StatusOr<NodePtr> Expression(int depth) {
    if (depth > kMaxDepth) return FilterFault("too deeply nested", Now().at);
    auto all = std::make_unique<Node>();
    all->kind = Node::Kind::kAnd;
    while (true) {
      SkipNewlines();
      if (!Begins()) {
        return FilterFault(Now().kind == Token::Kind::kEnd
                               ? std::string("unexpected end")
                               : base::StrCat("unexpected '", Now().text, "'"),
                           Now().at);
      }
      ASSIGN_OR_RETURN(NodePtr factor, Factor(depth));
      all->children.push_back(std::move(factor));
      SkipNewlines();
      if (IsWord("AND")) {
        ++at_;
        continue;
      }
      if (!Begins()) break;
    }
    if (all->children.size() > 1) return all;
    return std::move(all->children[0]);
  }

  absl::StatusOr<NodePtr> Factor(int depth) {
    ASSIGN_OR_RETURN(NodePtr first, Term(depth));
    NodePtr any;
    while (true) {
      // A newline before OR joins lines.
      const size_t back = at_;
      SkipNewlines();
      if (!IsWord("OR")) {
        at_ = back;
        break;
      }
      ++at_;
      SkipNewlines();
      if (!Begins()) return FilterFault("a term must follow OR", Now().at);
      if (!any) {
        any = std::make_unique<Node>();
        any->kind = Node::Kind::kOr;
        any->children.push_back(std::move(first));
      }
      ASSIGN_OR_RETURN(NodePtr next, Term(depth));
      any->children.push_back(std::move(next));
    }
    return any ? std::move(any) : std::move(first);
  }

  absl::StatusOr<NodePtr> Term(int depth) {
    if (IsWord("NOT") || Is("-")) {
      ++at_;
      if (depth > kMaxDepth) return FilterFault("too deeply nested", Now().at);
      if (!Begins()) return FilterFault("a term must follow NOT", Now().at);
      auto no = std::make_unique<Node>();
      no->kind = Node::Kind::kNot;
      ASSIGN_OR_RETURN(NodePtr inner, Term(depth + 1));
      no->children.push_back(std::move(inner));
      return no;
    }
    if (Is("(")) {
      ++at_;
      ASSIGN_OR_RETURN(NodePtr inner, Expression(depth + 1));
      SkipNewlines();
      if (!Is(")")) return FilterFault("missing ')'", Now().at);
      ++at_;
      return inner;
    }
    return Restriction(depth);
  }

  static bool ComparatorOf(const Token& token, Comparator* out) {
    if (token.kind != Token::Kind::kSymbol) return false;
    static const std::pair<std::string_view, Comparator> kTable[] = {
        {"=", Comparator::kEquals},     {"!=", Comparator::kNotEquals},
        {"<", Comparator::kLess},       {"<=", Comparator::kLessEquals},
        {">", Comparator::kGreater},    {">=", Comparator::kGreaterEquals},
        {":", Comparator::kHas},        {"=~", Comparator::kMatches},
        {"!~", Comparator::kNotMatches}};
    for (const auto& [text, comparator] : kTable) {
      if (token.text == text) {
        *out = comparator;
        return true;
      }
    }
    return false;
  }

  absl::StatusOr<NodePtr> Restriction(int depth) {
    auto node = std::make_unique<Node>();
    const Token first = Now();
    if (first.kind != Token::Kind::kText &&
        first.kind != Token::Kind::kString) {
      return FilterFault(base::StrCat("unexpected '", first.text, "'"),
                         first.at);
    }
    ++at_;
    node->path.push_back(first.text);
    while (Is(".") && !Now().spaced) {
      ++at_;
      if (Now().kind != Token::Kind::kText &&
          Now().kind != Token::Kind::kString) {
        return FilterFault("a name must follow '.'", Now().at);
      }
      node->path.push_back(Now().text);
      ++at_;
    }
    if (Is("(") && !Now().spaced) {
      return FilterFault(
          base::StrCat("the function '", first.text, "' is not supported"),
          first.at);
    }
    Comparator comparator;
    if (!ComparatorOf(Now(), &comparator)) {
      node->kind = Node::Kind::kGlobal;
      std::string text;
      for (const std::string& part : node->path) {
        if (!text.empty()) text += '.';
        text += part;
      }
      node->value = {std::move(text), first.kind == Token::Kind::kString};
      node->path.clear();
      return node;
    }
    const bool regex = comparator == Comparator::kMatches ||
                       comparator == Comparator::kNotMatches;
    if (regex && dialect_ != Dialect::kLogging) {
      return FilterFault(base::StrCat("'", Now().text, "' is not supported"),
                         Now().at);
    }
    ++at_;
    node->kind = Node::Kind::kCompare;
    node->comparator = comparator;
    if (Is("(")) return Group(std::move(node), depth);
    ASSIGN_OR_RETURN(node->value, Argument());
    if (regex) RETURN_IF_ERROR(Compile(*node));
    return node;
  }

  absl::StatusOr<Value> Argument() {
    std::string sign;
    if (Is("-")) {
      sign = "-";
      ++at_;
    }
    const Token token = Now();
    if (token.kind == Token::Kind::kString && sign.empty()) {
      ++at_;
      return Value{token.text, true};
    }
    if (token.kind != Token::Kind::kText) {
      return FilterFault("a value must follow the operator", token.at);
    }
    ++at_;
    std::string text = sign + token.text;
    // Values may hold dots and colons where no blank parts them:
    // "service.googleapis.com", "projects/p/logs/a:b".
    while ((Is(".") || Is(":")) && !Now().spaced && !Ahead().spaced &&
           Ahead().kind == Token::Kind::kText) {
      text += Now().text;
      text += Ahead().text;
      at_ += 2;
    }
    return Value{std::move(text), false};
  }

  absl::Status Compile(Node& node) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto regex = std::make_unique<re2::RE2>(node.value.text, options);
    if (!regex->ok()) {
      return FilterFault(
          base::StrCat("invalid regular expression: ", regex->error()),
          tokens_[at_ - 1].at);
    }
    node.regex = std::move(regex);
    return absl::OkStatus();
  }

  // field OP (a OR b AND c): the operator goes to each value.
  absl::StatusOr<NodePtr> Group(NodePtr head, int depth) {
    if (depth > kMaxDepth) return FilterFault("too deeply nested", Now().at);
    ++at_;
    auto all = std::make_unique<Node>();
    all->kind = Node::Kind::kAnd;
    while (true) {
      SkipNewlines();
      auto any = std::make_unique<Node>();
      any->kind = Node::Kind::kOr;
      while (true) {
        SkipNewlines();
        const bool negate = IsWord("NOT");
        if (negate) ++at_;
        auto one = std::make_unique<Node>();
        one->kind = Node::Kind::kCompare;
        one->path = head->path;
        one->comparator = head->comparator;
        ASSIGN_OR_RETURN(one->value, Argument());
        if (one->comparator == Comparator::kMatches ||
            one->comparator == Comparator::kNotMatches) {
          RETURN_IF_ERROR(Compile(*one));
        }
        if (negate) {
          auto no = std::make_unique<Node>();
          no->kind = Node::Kind::kNot;
          no->children.push_back(std::move(one));
          any->children.push_back(std::move(no));
        } else {
          any->children.push_back(std::move(one));
        }
        SkipNewlines();
        if (!IsWord("OR")) break;
        ++at_;
      }
      all->children.push_back(std::move(any));
      SkipNewlines();
      if (IsWord("AND")) {
        ++at_;
        continue;
      }
      if (Is(")")) break;
      if (Now().kind == Token::Kind::kEnd) {
        return FilterFault("missing ')'", Now().at);
      }
    }
    ++at_;
    return all;
  }

  std::vector<Token> tokens_;
  const Dialect dialect_;
  size_t at_ = 0;
};

}  // namespace

Filter::Filter(std::unique_ptr<const Node> root, Dialect dialect)
    : root_(std::move(root)), dialect_(dialect) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

absl::StatusOr<Filter> Filter::Parse(std::string_view text, Dialect dialect) {
  if (text.size() > kMaxLength) {
    return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
        "Unparseable filter: it is longer than ", kMaxLength, " characters.")));
  }
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Lex(text, dialect));
  ASSIGN_OR_RETURN(NodePtr root, Parser(std::move(tokens), dialect).Run());
  return Filter(std::move(root), dialect);
}

}  // namespace brume::services::query

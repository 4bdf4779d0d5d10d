#include "api/metadata/metadata_surface.h"

#include "api/json/json.h"
#include "api/metadata/tree.h"
#include "api/query_string.h"
#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace brume::api::metadata {
namespace {

namespace json = boost::json;

constexpr std::string_view kRoot = "/computeMetadata/v1";
constexpr std::string_view kAccounts = "instance/service-accounts/";
constexpr std::array<std::string_view, 5> kHosts = {
    "metadata.google.internal", "metadata.google.internal.", "metadata",
    "169.254.169.254", "metadata.goog"};
constexpr int64_t kDefaultWaitSeconds = 60;
constexpr int64_t kMostWaitSeconds = 600;

Response Text(int status, std::string body,
              std::string_view type = "application/text") {
  Response response;
  response.status = status;
  response.headers.Add("Metadata-Flavor", "Google");
  response.headers.Add("Content-Type", std::string(type));
  response.headers.Add("Server", "Metadata Server for VM");
  response.headers.Add("X-XSS-Protection", "0");
  response.headers.Add("X-Frame-Options", "SAMEORIGIN");
  response.body = std::move(body);
  return response;
}

Response Json(const json::value& value) {
  return Text(200, PrintJson(value, false), "application/json");
}

Response NotFound() { return Text(404, "Not Found\n", "text/html"); }

Response Failed(const absl::Status& status) {
  if (absl::IsNotFound(status)) return NotFound();
  return Text(absl::IsInvalidArgument(status) ? 400 : 503,
              base::StrCat(status.message(), "\n"), "text/html");
}

bool IsTrue(const QueryString& query, std::string_view name) {
  const auto value = query.Get(name);
  return value && absl::EqualsIgnoreCase(base::ToAbsl(*value), "true");
}

bool SaysGoogle(const Headers& headers) {
  const std::string_view flavor = headers.Get("metadata-flavor").value_or("");
  const std::string_view old =
      headers.Get("x-google-metadata-request").value_or("");
  return absl::EqualsIgnoreCase(base::ToAbsl(flavor), "google") ||
         absl::EqualsIgnoreCase(base::ToAbsl(old), "true");
}

const std::vector<std::string>& DefaultScopes() {
  static const std::vector<std::string> scopes = {
      "https://www.googleapis.com/auth/cloud-platform",
      "https://www.googleapis.com/auth/userinfo.email"};
  return scopes;
}

// One answer, made anew when a wait for a change is over.
class Answerer {
 public:
  Answerer(std::shared_ptr<const Services> services,
           std::shared_ptr<TokenCache> tokens, RequestHead head,
           QueryString query)
      : services_(std::move(services)),
        tokens_(std::move(tokens)),
        head_(std::move(head)),
        query_(std::move(query)) {}

  Response Answer() const {
    const absl::StatusOr<Facts> facts = FactsOf();
    if (!facts.ok()) return Failed(facts.status());
    std::string_view path = PathOf(head_.target);
    path.remove_prefix(kRoot.size());
    if (path.empty()) return Redirect();
    path.remove_prefix(1);
    const std::optional<std::string> decoded = base::PercentDecode(path);
    if (!decoded) return NotFound();
    if (std::optional<Response> reply = AccountCall(*facts, *decoded)) {
      return *std::move(reply);
    }
    return TreeCall(*facts, *decoded);
  }

  // How long to wait for a change that will not come; nothing here changes
  // while a machine lives. Zero when the client has not seen the value yet.
  absl::Duration WaitFor() const {
    if (!IsTrue(query_, "wait_for_change")) return absl::ZeroDuration();
    const std::string_view seen = query_.Get("last_etag").value_or("");
    if (!seen.empty()) {
      const Response now = Answer();
      if (now.status != 200 || now.headers.Get("etag") != seen) {
        return absl::ZeroDuration();
      }
    }
    int64_t seconds = kDefaultWaitSeconds;
    const std::string_view asked = query_.Get("timeout_sec").value_or("");
    if (!asked.empty() && !absl::SimpleAtoi(base::ToAbsl(asked), &seconds)) {
      seconds = kDefaultWaitSeconds;
    }
    return absl::Seconds(std::clamp<int64_t>(seconds, 0, kMostWaitSeconds));
  }

 private:
  absl::StatusOr<Facts> FactsOf() const {
    const Origin& origin = head_.origin;
    Facts facts;
    facts.email = origin.account;
    ASSIGN_OR_RETURN(const std::string home,
                     services_->project_of_account(origin.account));
    ASSIGN_OR_RETURN(facts.project,
                     services_->find_project(
                         origin.project.empty() ? home : origin.project));
    facts.zone = services_->zone;
    facts.name = origin.run.empty() ? "brume" : origin.run;
    std::replace(facts.name.begin(), facts.name.end(), '/', '-');
    facts.scopes = DefaultScopes();
    return facts;
  }

  Response Redirect() const {
    Response response = Text(301, "");
    const std::string_view path = PathOf(head_.target);
    response.headers.Add(
        "Location", base::StrCat(path, "/", head_.target.substr(path.size())));
    return response;
  }

  // What is made at each request, and so is not in the tree: token, identity.
  std::optional<Response> AccountCall(const Facts& facts,
                                      std::string_view path) const {
    if (path.substr(0, kAccounts.size()) != kAccounts) return std::nullopt;
    path.remove_prefix(kAccounts.size());
    const size_t slash = path.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view who = path.substr(0, slash);
    if (who != "default" && who != facts.email) return NotFound();
    const std::string_view what = path.substr(slash + 1);
    if (what == "token") return TokenReply(facts);
    if (what == "identity") return IdentityReply(facts);
    if (what.empty() && !IsTrue(query_, "recursive")) {
      return Tagged(Text(200, "aliases\nemail\nidentity\nscopes\ntoken\n"));
    }
    return std::nullopt;
  }

  Response TokenReply(const Facts& facts) const {
    std::vector<std::string> scopes = facts.scopes;
    const std::string_view asked = query_.Get("scopes").value_or("");
    if (!asked.empty()) {
      scopes = absl::StrSplit(base::ToAbsl(asked), absl::ByAnyChar(", "),
                              absl::SkipEmpty());
    }
    const absl::StatusOr<Token> token =
        tokens_->Get(base::StrCat(facts.email, " ", absl::StrJoin(scopes, " ")),
                     [&] { return services_->mint(facts.email, scopes); });
    if (!token.ok()) return Failed(token.status());
    json::object body;
    body["access_token"] = token->token;
    body["expires_in"] =
        absl::ToInt64Seconds(token->expires_at - services_->clock->Now());
    body["token_type"] = "Bearer";
    return Json(body);
  }

  Response IdentityReply(const Facts& facts) const {
    const std::string_view audience = query_.Get("audience").value_or("");
    if (audience.empty()) {
      return Text(400, "non-empty audience parameter required\n", "text/html");
    }
    const absl::StatusOr<std::string> token = services_->identity(
        facts.email, audience, query_.Get("format") == "full");
    if (!token.ok()) return Failed(token.status());
    return Text(200, *token, "text/html");
  }

  Response TreeCall(const Facts& facts, std::string_view path) const {
    const json::value tree = TreeOf(facts);
    const bool slash = path.empty() || path.back() == '/';
    if (!path.empty() && slash) path.remove_suffix(1);
    const json::value* const found = Find(tree, path);
    if (found == nullptr) return NotFound();
    const bool recursive = IsTrue(query_, "recursive");
    const std::string_view alt = query_.Get("alt").value_or("");
    if (!IsDirectory(*found)) {
      if (slash) return NotFound();
      return Tagged(alt == "json" ? Json(*found) : Text(200, LeafText(*found)));
    }
    // gsutil asks for the list of accounts without a slash.
    if (!slash && path != "instance/service-accounts") return Redirect();
    if (!recursive) return Tagged(Text(200, Listing(*found)));
    return Tagged(alt == "text" ? Text(200, RecursiveText(*found))
                                : Json(*found));
  }

  static Response Tagged(Response response) {
    // FNV-1a: a tag need not keep secrets.
    uint64_t hash = 0xcbf29ce484222325;
    for (const unsigned char c : std::get<std::string>(response.body)) {
      hash = (hash ^ c) * 0x100000001b3;
    }
    response.headers.Add("ETag",
                         base::StrCat(absl::Hex(hash, absl::kZeroPad16)));
    return response;
  }

  const std::shared_ptr<const Services> services_;
  const std::shared_ptr<TokenCache> tokens_;
  const RequestHead head_;
  const QueryString query_;
};

// A hanging GET: nothing wakes it but its deadline.
class WaitForChange final : public Wait {
 public:
  WaitForChange(std::unique_ptr<Answerer> answerer, absl::Time until)
      : answerer_(std::move(answerer)) {
    deadline = until;
  }
  void Subscribe(std::function<void()>) override {}
  Outcome Resume() override { return answerer_->Answer(); }

 private:
  const std::unique_ptr<Answerer> answerer_;
};

// A GET has no body; what follows it is not read.
class NoBody final : public BodySink {
 public:
  explicit NoBody(std::unique_ptr<Wait> wait) : wait_(std::move(wait)) {}
  std::optional<Response> Write(std::string_view) override {
    return std::nullopt;
  }
  Outcome Finish() override { return std::move(wait_); }

 private:
  std::unique_ptr<Wait> wait_;
};

}  // namespace

MetadataSurface::MetadataSurface(Services services)
    : services_(std::make_shared<const Services>(std::move(services))),
      tokens_(std::make_shared<TokenCache>(services_->clock)) {}

bool MetadataSurface::Owns(const RequestHead& head) const {
  return head.origin.via == Origin::Via::kMetadata ||
         std::find(kHosts.begin(), kHosts.end(), head.host) != kHosts.end();
}

Begun MetadataSurface::Begin(RequestHead head) {
  if (head.origin.account.empty()) {
    Response nobody;
    nobody.status = 404;
    nobody.headers.Add("Content-Type", "text/plain");
    nobody.body = std::string(
        "no metadata here: no service account was named; use `brume run "
        "--service-account NAME`\n");
    return nobody;
  }
  if (head.method != "GET" && head.method != "HEAD") {
    return Text(405, "Method Not Allowed\n", "text/html");
  }
  // A proxy that forwards requests for others must not get tokens.
  if (head.headers.Has("x-forwarded-for")) {
    return Text(403, "Request has the X-Forwarded-For header.\n", "text/html");
  }
  const std::string_view path = PathOf(head.target);
  if (path == "/") return Text(200, "0.1/\ncomputeMetadata/\n");
  if (path == "/computeMetadata" || path == "/computeMetadata/") {
    return Text(200, "v1/\nv1beta1/\n");
  }
  if (!SaysGoogle(head.headers)) {
    return Text(403, "Missing Metadata-Flavor:Google header.\n", "text/html");
  }
  const bool known = path.substr(0, kRoot.size()) == kRoot &&
                     (path.size() == kRoot.size() || path[kRoot.size()] == '/');
  std::optional<QueryString> query = QueryString::Parse(head.target);
  if (!known || !query) return NotFound();
  auto answerer = std::make_unique<Answerer>(
      services_, tokens_, std::move(head), *std::move(query));
  const absl::Duration wait = answerer->WaitFor();
  if (wait == absl::ZeroDuration()) return answerer->Answer();
  return std::make_unique<NoBody>(std::make_unique<WaitForChange>(
      std::move(answerer), services_->clock->Now() + wait));
}

}  // namespace brume::api::metadata

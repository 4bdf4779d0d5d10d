#include "api/http_dispatcher.h"

#include "api/http_error.h"
#include "api/transcoder.h"
#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <utility>

namespace brume::api {
namespace {

// A method's reply as HTTP; a Pending becomes a Wait.
Outcome ToOutcome(absl::StatusOr<AnyReply> reply, std::string response_body,
                  ReplyStyle style);

class HttpWait final : public Wait {
 public:
  HttpWait(std::unique_ptr<Pending> pending, std::string response_body,
           ReplyStyle style)
      : pending_(std::move(pending)),
        response_body_(std::move(response_body)),
        style_(std::move(style)) {
    deadline = pending_->deadline;
  }
  void Subscribe(std::function<void()> wake) override {
    pending_->Subscribe(std::move(wake));
  }
  Outcome Resume() override {
    return ToOutcome(pending_->Resume(), response_body_, style_);
  }

 private:
  std::unique_ptr<Pending> pending_;
  std::string response_body_;
  ReplyStyle style_;
};

Outcome ToOutcome(absl::StatusOr<AnyReply> reply, std::string response_body,
                  ReplyStyle style) {
  if (!reply.ok()) return JsonError(reply.status(), style.pretty);
  if (auto* pending = std::get_if<std::unique_ptr<Pending>>(&*reply)) {
    return std::make_unique<HttpWait>(
        std::move(*pending), std::move(response_body), std::move(style));
  }
  return WriteReply(*std::get<AnyMessage>(*reply), response_body, style);
}

constexpr std::string_view kResourceManager =
    "cloudresourcemanager.googleapis.com";

// Google's services answer so where no method matches.
absl::Status MethodNotFound() {
  return absl::NotFoundError("Method not found.");
}

}  // namespace

Admission::Subject SubjectOf(const Method& method, std::string_view host) {
  Admission::Subject subject;
  subject.method = method.name;
  // A mixin (operations, locations) belongs to the service at whose host it is
  // asked; without a host, to that of its proto.
  subject.service =
      Routes::KnowsHost(host)
          ? ServiceHost(host)
          : std::string(FindKnownMethod(method.name)->service_host);
  subject.permissions = method.access.permissions();
  subject.project_may_be_unknown = subject.service == kResourceManager;
  return subject;
}

absl::StatusOr<Call> AdmitMethod(const Admission& admission,
                                 const Method& method,
                                 const google::protobuf::Message& request,
                                 const Headers& headers, std::string_view host,
                                 std::string_view base_url,
                                 const Origin& origin) {
  Admission::Subject subject = SubjectOf(method, host);
  subject.resources = ResourcesOf(request, method.access.resource_field());
  for (const std::string& resource : subject.resources) {
    subject.project = ProjectOf(resource);
    if (!subject.project.empty()) break;
  }
  return admission.Admit(headers, host, base_url, origin, subject);
}

HttpDispatcher::HttpDispatcher(Options options)
    : options_(std::move(options)) {}

Begun HttpDispatcher::Begin(RequestHead head) {
  for (HttpSurface* surface : options_.surfaces) {
    if (surface->Owns(head)) return surface->Begin(std::move(head));
  }
  return BeginMethod(std::move(head));
}

Begun HttpDispatcher::BeginMethod(RequestHead head) {
  // RFC-less but honoured by Google: a method tunnelled in POST.
  if (head.method == "POST") {
    if (const auto verb = head.headers.Get("x-http-method-override")) {
      head.method = std::string(*verb);
    }
  }
  std::optional<Routes::Match> match =
      routes_.Find(head.host, head.method, PathOf(head.target));
  if (!match) return JsonError(MethodNotFound());
  const Method* method = options_.table->Find(match->method);
  if (method == nullptr) return JsonError(MethodNotServed(match->method));
  std::optional<QueryString> query = QueryString::Parse(head.target);
  if (!query) {
    return JsonError(absl::InvalidArgumentError(
        "Invalid query string: a percent sign is not followed by two "
        "hexadecimal digits."));
  }
  // Tokens in the query (RFC 6750, 2.3), as Google's services take them.
  for (const char* name : {"access_token", "oauth_token"}) {
    const auto token = query->Get(name);
    if (token && !head.headers.Has("authorization")) {
      head.headers.Set("authorization", base::StrCat("Bearer ", *token));
    }
  }
  absl::StatusOr<ReplyStyle> style = ReplyStyle::Of(*query, head.headers);
  if (!style.ok()) return JsonError(style.status());

  // Before the body: who may not call need not be read.
  const absl::StatusOr<Principal> principal = options_.admission->Authenticate(
      head.headers, head.host, head.origin, SubjectOf(*method, head.host));
  if (!principal.ok()) return JsonError(principal.status(), style->pretty);

  // The body's end may be seconds away: everything the reply needs is kept.
  struct State {
    RequestHead head;
    Routes::Match match;
    QueryString query;
    ReplyStyle style;
  };
  auto state =
      std::make_shared<State>(State{std::move(head), *std::move(match),
                                    *std::move(query), *std::move(style)});
  const Admission& admission = *options_.admission;
  return BufferBody(
      method->body_limit,
      [state, method, &admission](std::string body) -> Outcome {
        const auto run = [&]() -> absl::StatusOr<AnyReply> {
          ASSIGN_OR_RETURN(
              AnyMessage request,
              ReadRequest(*method, state->match, state->query, body));
          const RequestHead& head = state->head;
          ASSIGN_OR_RETURN(
              const Call call,
              AdmitMethod(admission, *method, *request, head.headers, head.host,
                          head.base_url, head.origin));
          return method->handler(call, *request);
        };
        return ToOutcome(run(), std::string(state->match.response_body),
                         state->style);
      });
}

}  // namespace brume::api

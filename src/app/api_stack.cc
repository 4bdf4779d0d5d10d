#include "app/api_stack.h"

#include "api/admission.h"
#include "api/bindings/aiplatform.h"
#include "api/bindings/billing.h"
#include "api/bindings/compute.h"
#include "api/bindings/iam.h"
#include "api/bindings/logging.h"
#include "api/bindings/operations.h"
#include "api/bindings/resourcemanager.h"
#include "api/bindings/serviceusage.h"
#include "api/http_dispatcher.h"
#include "api/metadata/metadata_surface.h"
#include "api/oauth/oauth_surface.h"
#include "api/rpc_dispatcher.h"
#include "app/identity_stack.h"
#include "app/peer_guard.h"
#include "app/storage_stack.h"
#include "base/status_macros.h"
#include "services/aiplatform/custom_jobs.h"
#include "services/aiplatform/job_rows.h"
#include "services/aiplatform/job_watcher.h"
#include "services/logging/log_store.h"
#include "services/longrunning/operations.h"
#include "services/query/page_token.h"

#include <optional>
#include <utility>

namespace brume::app {
namespace {

namespace aiplatform = services::aiplatform;
namespace logging = services::logging;

}  // namespace

// Members are in the order in which they are made.
class ApiStack::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  absl::Status Make() {
    ASSIGN_OR_RETURN(pages_, services::query::PageTokens::Create(*options_.kv));
    ASSIGN_OR_RETURN(identity_, IdentityStack::Create(
                                    *options_.kv, *options_.clock, *pages_));
    admission_.emplace(AdmissionOptions());
    RETURN_IF_ERROR(MakeStorage());
    MakeSurfaces();
    MakeJobs();
    AddRows();
    http_.emplace(api::HttpDispatcher::Options{
        .table = &table_,
        .admission = &*admission_,
        .surfaces = {&guard_, &*metadata_, &*oauth_,
                     storage_->Surface(&*admission_)}});
    rpc_.emplace(table_, *admission_);
    return absl::OkStatus();
  }

  api::HttpService& http() { return *http_; }
  api::RpcService& rpc() { return *rpc_; }
  const api::MethodTable& table() const { return table_; }
  IdentityStack& identity() { return *identity_; }

 private:
  api::Admission::Options AdmissionOptions() {
    api::Admission::Options out;
    out.authenticate = [this](std::string_view token, std::string_view host) {
      return identity_->Authenticate(token, host);
    };
    out.find_project = [this](std::string_view id_or_number) {
      return identity_->FindProject(id_or_number);
    };
    out.api_enabled = [this](const api::ProjectRef& project,
                             std::string_view service) {
      return identity_->ApiEnabled(project, service);
    };
    out.record =
        [usage = options_.usage](const api::Admission::Decision& decision) {
          usage->Add({.run = decision.run,
                      .principal = decision.principal,
                      .permission = decision.permission,
                      .resource = decision.resource,
                      .method = decision.method,
                      .verdict = decision.verdict},
                     decision.time);
        };
    out.clock = options_.clock;
    return out;
  }

  absl::Status MakeStorage() {
    ASSIGN_OR_RETURN(storage_,
                     StorageStack::Create(
                         {.kv = options_.kv,
                          .blobs = options_.blobs,
                          .clock = options_.clock,
                          .default_project = std::string(kDefaultProject)}));
    return absl::OkStatus();
  }

  void MakeSurfaces() {
    oauth_.emplace(
        api::oauth::Services{.endpoint = &identity_->token_endpoint,
                             .tokens = &identity_->tokens,
                             .identity = &identity_->identity_tokens,
                             .authenticator = &identity_->authenticator,
                             .certificates =
                                 [this](std::string_view email) {
                                   return identity_->CertificatesOf(email);
                                 },
                             .clock = options_.clock});
    metadata_.emplace(api::metadata::Services{
        .find_project =
            [this](std::string_view project) {
              return identity_->FindProject(project);
            },
        .project_of_account =
            [this](std::string_view email) {
              return identity_->ProjectOfAccount(email);
            },
        .mint = [this](std::string_view email,
                       const std::vector<std::string>& scopes)
            -> absl::StatusOr<api::metadata::Token> {
          ASSIGN_OR_RETURN(const services::oauth::TokenStore::Access made,
                           identity_->MintFor(email, scopes));
          return api::metadata::Token{made.token, made.expires_at};
        },
        .identity =
            [this](std::string_view email, std::string_view audience,
                   bool full) {
              return identity_->IdentityOf(email, audience, full);
            },
        .clock = options_.clock});
  }

  void MakeJobs() {
    operations_.emplace(*options_.kv, *options_.clock);
    logs_.emplace(logging::LogStore::Options{
        .kv = options_.kv,
        .clock = options_.clock,
        .page_tokens = pages_.get(),
        .find_project = [this](std::string_view id_or_number)
            -> absl::StatusOr<logging::LogStore::Project> {
          ASSIGN_OR_RETURN(const api::ProjectRef project,
                           identity_->FindProject(id_or_number));
          return logging::LogStore::Project{project.id, project.number};
        }});
    jobs_.emplace(aiplatform::CustomJobs::Options{
        .kv = options_.kv,
        .clock = options_.clock,
        .page_tokens = pages_.get(),
        .executor = options_.executor,
        .no_executor = options_.no_executor,
        .find_project = [this](std::string_view id_or_number)
            -> absl::StatusOr<aiplatform::CustomJobs::Project> {
          ASSIGN_OR_RETURN(const api::ProjectRef project,
                           identity_->FindProject(id_or_number));
          return aiplatform::CustomJobs::Project{project.id, project.number};
        },
        .account_exists =
            [this](const aiplatform::CustomJobs::Project&,
                   std::string_view email) {
              return identity_->AccountExists(email);
            },
        .ensure_agents =
            [this](const aiplatform::CustomJobs::Project& project) {
              return identity_->EnsureServiceAgents(
                  {project.id, project.number}, "aiplatform.googleapis.com");
            }});
    if (options_.executor == nullptr) return;
    watcher_.emplace(aiplatform::JobWatcher::Options{
        .kv = options_.kv,
        .clock = options_.clock,
        .executor = options_.executor,
        .write_log = [this](const aiplatform::JobRecord& record,
                            const auto& entries) -> absl::Status {
          ASSIGN_OR_RETURN(const auto name,
                           aiplatform::JobName::Parse(record.job().name()));
          return logs_->Append({record.project_id(), name.project}, entries);
        }});
    watcher_->StartThread();
  }

  void AddRows() {
    AddOperationsRows(table_, *operations_, *options_.clock, {});
    AddResourceManagerRows(table_, identity_->projects, identity_->projects_v1);
    AddIamRows(table_, identity_->iam);
    AddIamCredentialsRows(table_, identity_->credentials);
    AddServiceUsageRows(table_, identity_->services);
    AddBillingRows(table_, identity_->billing);
    AddComputeRows(table_, identity_->places);
    AddLoggingRows(table_, *logs_);
    AddAiPlatformRows(table_, *jobs_);
  }

  const Options options_;
  std::unique_ptr<services::query::PageTokens> pages_;
  std::unique_ptr<IdentityStack> identity_;
  std::optional<api::Admission> admission_;

  std::unique_ptr<StorageStack> storage_;
  std::optional<api::oauth::OAuthSurface> oauth_;
  PeerGuard guard_{LoopbackUser};
  std::optional<api::metadata::MetadataSurface> metadata_;

  std::optional<services::longrunning::Operations> operations_;
  std::optional<logging::LogStore> logs_;
  std::optional<aiplatform::CustomJobs> jobs_;
  std::optional<aiplatform::JobWatcher> watcher_;

  api::MethodTable table_;
  std::optional<api::HttpDispatcher> http_;
  std::optional<api::RpcDispatcher> rpc_;
};

ApiStack::ApiStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiStack::~ApiStack() = default;

absl::StatusOr<std::unique_ptr<ApiStack>> ApiStack::Create(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  RETURN_IF_ERROR(impl->Make());
  return std::unique_ptr<ApiStack>(new ApiStack(std::move(impl)));
}

api::HttpService& ApiStack::http() { return impl_->http(); }
api::RpcService& ApiStack::rpc() { return impl_->rpc(); }
const api::MethodTable& ApiStack::table() const { return impl_->table(); }
IdentityStack& ApiStack::identity() { return impl_->identity(); }

}  // namespace brume::app

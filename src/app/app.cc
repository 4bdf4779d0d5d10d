#include "app/app.h"

#include "app/api_stack.h"
#include "app/containers.h"
#include "app/control_desk.h"
#include "app/control_server.h"
#include "app/data_folder.h"
#include "app/identity_stack.h"
#include "app/run_directory.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "config/version.h"
#include "front/certificates.h"
#include "front/server.h"
#include "runtime/worker_pool.h"
#include "services/runs/run_registry.h"
#include "services/usage/usage_record.h"
#include "store/blob/file_blob_store.h"
#include "store/fs/posix_file_system.h"
#include "store/kv/rocks_kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace brume::app {
namespace {

namespace json = boost::json;

constexpr size_t kPoolThreads = 16;
constexpr absl::Duration kFlushEvery = absl::Seconds(2);

bool IsAlive(int64_t pid) {
  return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

// Writes the usage counters every other second, and at the end.
class UsageFlusher {
 public:
  explicit UsageFlusher(services::usage::UsageRecord* usage)
      : usage_(usage), thread_([this] { Run(); }) {}
  ~UsageFlusher() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
    Flush();
  }
  UsageFlusher(const UsageFlusher&) = delete;
  UsageFlusher& operator=(const UsageFlusher&) = delete;

 private:
  void Run() {
    absl::MutexLock lock(&mutex_);
    while (!mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kFlushEvery)) {
      mutex_.Unlock();
      Flush();
      mutex_.Lock();
    }
  }
  void Flush() {
    const absl::Status status = usage_->Flush();
    if (status.ok()) return;
    base::Log(base::LogLevel::kWarn, "usage", "counts not written yet",
              {{"cause", status.message()}});
  }

  services::usage::UsageRecord* const usage_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

// Members are in the order in which they are made.
class App::Impl {
 public:
  ~Impl() {
    if (containers_ != nullptr) containers_->network().Attach(nullptr);
  }
  absl::Status Start(Options options);
  uint16_t port() const { return port_; }

  void Drain(absl::Time deadline) { server_->Drain(deadline); }

 private:
  absl::Status OpenStores(const Options& options);
  absl::Status Serve(const Options& options);
  absl::Status OpenControl(Options options);
  absl::StatusOr<ControlDesk::Options::Account> FindAccount(
      std::string_view name, std::string_view project);

  const base::SystemClock clock_;
  const std::unique_ptr<store::FileSystem> files_ =
      store::MakePosixFileSystem();
  std::unique_ptr<DataFolder> folder_;
  std::unique_ptr<store::RocksKvStore> kv_;
  std::unique_ptr<store::FileBlobStore> blobs_;

  std::unique_ptr<services::runs::RunRegistry> runs_;
  std::unique_ptr<services::usage::UsageRecord> usage_;
  std::unique_ptr<UsageFlusher> flusher_;
  std::unique_ptr<RunDirectory> run_directory_;

  std::unique_ptr<front::CertificateAuthority> authority_;
  std::unique_ptr<Containers> containers_;
  std::unique_ptr<ApiStack> api_;
  std::unique_ptr<runtime::WorkerPool> pool_;
  std::unique_ptr<front::Server> server_;
  uint16_t port_ = 0;

  std::unique_ptr<ControlDesk> desk_;
  std::unique_ptr<ControlServer> control_;
};

absl::Status App::Impl::Start(Options options) {
  RETURN_IF_ERROR(OpenStores(options));
  RETURN_IF_ERROR(Serve(options));
  return OpenControl(std::move(options));
}

absl::Status App::Impl::OpenStores(const Options& options) {
  ASSIGN_OR_RETURN(folder_, DataFolder::Open(options.data, files_.get()));
  ASSIGN_OR_RETURN(kv_, store::RocksKvStore::Create({
                            .path = folder_->At("kv"),
                            .files = files_.get(),
                        }));
  ASSIGN_OR_RETURN(blobs_, store::FileBlobStore::Create({
                               .path = folder_->At("blob"),
                               .files = files_.get(),
                               .kv = kv_.get(),
                           }));
  ASSIGN_OR_RETURN(runs_, services::runs::RunRegistry::Create(
                              {.kv = kv_.get(), .clock = &clock_}));
  RETURN_IF_ERROR(runs_->DropEnded(IsAlive));
  usage_ = std::make_unique<services::usage::UsageRecord>(kv_.get());
  flusher_ = std::make_unique<UsageFlusher>(usage_.get());
  run_directory_ = std::make_unique<RunDirectory>(runs_.get());
  return absl::OkStatus();
}

absl::Status App::Impl::Serve(const Options& options) {
  // First, so that a port in use is said before anything is made.
  ASSIGN_OR_RETURN(base::UniqueFd socket, front::ListenLoopback(options.port));
  ASSIGN_OR_RETURN(port_, front::PortOf(socket));
  RETURN_IF_ERROR(files_->MakeDirectory(folder_->At("ca")));
  ASSIGN_OR_RETURN(authority_, front::CertificateAuthority::Create(
                                   folder_->At("ca"), &clock_));
  ASSIGN_OR_RETURN(containers_, Containers::Create({
                                    .data = folder_->path(),
                                    .kv = kv_.get(),
                                    .blobs = blobs_.get(),
                                    .clock = &clock_,
                                    .ca_file = folder_->At("ca/ca.pem"),
                                }));
  ASSIGN_OR_RETURN(api_,
                   ApiStack::Create({.kv = kv_.get(),
                                     .blobs = blobs_.get(),
                                     .usage = usage_.get(),
                                     .clock = &clock_,
                                     .executor = &containers_->executor()}));
  pool_ = std::make_unique<runtime::WorkerPool>(kPoolThreads);
  ASSIGN_OR_RETURN(server_, front::Server::Create({
                                .http = &api_->http(),
                                .rpc = &api_->rpc(),
                                .runs = run_directory_.get(),
                                .authority = authority_.get(),
                                .pool = pool_.get(),
                                .allowed_hosts = options.allowed_hosts,
                                .offline = options.offline,
                                .upstream_proxy = options.upstream_proxy,
                            }));
  RETURN_IF_ERROR(server_->Listen(std::move(socket), {}).status());
  containers_->network().Attach(server_.get());
  return folder_->WritePort(port_);
}

absl::Status App::Impl::OpenControl(Options options) {
  ControlDesk::Options desk = {.runs = runs_.get(),
                               .usage = usage_.get(),
                               .server = server_.get(),
                               .images = &containers_->image_desk()};
  desk.about = {
      {"version", std::string(config::kVersion)},
      {"pid", static_cast<int64_t>(::getpid())},
      {"port", port_},
      {"data", options.data},
      {"offline", options.offline},
      {"started", base::FormatTime(clock_.Now(), base::Fraction::kNone)},
      {"ca", folder_->At("ca/ca.pem")}};
  desk.table = &api_->table();
  desk.stop = std::move(options.stop);
  desk.owner = [this]() -> absl::StatusOr<json::object> {
    ASSIGN_OR_RETURN(const services::oauth::OwnerCredentials owner,
                     services::oauth::EnsureOwner(*kv_));
    return json::object{{"email", owner.email},
                        {"client_id", owner.client_id},
                        {"client_secret", owner.client_secret},
                        {"refresh_token", owner.refresh_token},
                        {"project", std::string(kDefaultProject)}};
  };
  desk.find_account = [this](std::string_view name, std::string_view project) {
    return FindAccount(name, project);
  };
  desk_ = std::make_unique<ControlDesk>(std::move(desk));
  ASSIGN_OR_RETURN(
      control_,
      ControlServer::Create({
          .folder = options.data,
          .handle =
              [this](ControlServer::Request request) {
                return desk_->Handle(std::move(request));
              },
          .closed = [this](uint64_t connection) { desk_->Closed(connection); },
      }));
  return absl::OkStatus();
}

// `name` is an e-mail, or the part before its "@" in the project.
absl::StatusOr<ControlDesk::Options::Account> App::Impl::FindAccount(
    std::string_view name, std::string_view project) {
  const std::string email =
      name.find('@') != std::string_view::npos
          ? std::string(name)
          : base::StrCat(name, "@", project.empty() ? kDefaultProject : project,
                         ".iam.gserviceaccount.com");
  absl::StatusOr<std::string> home = api_->identity().ProjectOfAccount(email);
  if (absl::IsNotFound(home.status())) {
    return absl::NotFoundError(base::ToAbsl(
        base::StrCat("find service account '", email,
                     "': there is none; make it with 'brume run -- gcloud iam "
                     "service-accounts create'")));
  }
  RETURN_IF_ERROR(home.status());
  return ControlDesk::Options::Account{email, *home};
}

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() = default;

absl::StatusOr<std::unique_ptr<App>> App::Create(Options options) {
  auto impl = std::make_unique<Impl>();
  RETURN_IF_ERROR(impl->Start(std::move(options)));
  return std::unique_ptr<App>(new App(std::move(impl)));
}

uint16_t App::port() const { return impl_->port(); }

void App::Drain(absl::Time deadline) { impl_->Drain(deadline); }

}  // namespace brume::app

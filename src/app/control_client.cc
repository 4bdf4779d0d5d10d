#include "app/control_client.h"

#include "app/control_address.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "runtime/fd_passing.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace brume::app {
namespace {

namespace json = boost::json;

absl::StatusCode CodeNamed(std::string_view name) {
  for (int i = 0; i <= 16; ++i) {
    const auto code = static_cast<absl::StatusCode>(i);
    if (absl::StatusCodeToString(code) == name) return code;
  }
  return absl::StatusCode::kUnknown;
}

std::string_view TextOf(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return "";
  const json::string& text = value->get_string();
  return std::string_view(text.data(), text.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlClient>> ControlClient::Connect(
    const std::string& folder) {
  const auto absent = [&] {
    return absl::UnavailableError(
        base::StrCat("reach server of data folder '", folder,
                     "': none is running; start one with 'brume up'"));
  };
  const absl::StatusOr<ControlAddress> address = ControlAddress::Of(folder);
  if (absl::IsNotFound(address.status())) return absent();
  RETURN_IF_ERROR(address.status());
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return base::ErrnoToStatus(errno, "open socket");
  if (::connect(socket.get(), address->get(), address->size()) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return absent();
    return base::ErrnoToStatus(
        errno, base::StrCat("reach server of data folder '", folder, "'"));
  }
  return std::unique_ptr<ControlClient>(new ControlClient(std::move(socket)));
}

absl::StatusOr<json::object> ControlClient::Call(std::string_view op,
                                                 json::object fields,
                                                 absl::Span<const int> fds) {
  fields["op"] = json::string_view(op.data(), op.size());
  RETURN_IF_ERROR(
      runtime::SendWithFds(socket_.get(), json::serialize(fields) + "\n", fds));
  size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) {
    ASSIGN_OR_RETURN(runtime::ReceivedBytes piece,
                     runtime::ReceiveWithFds(socket_.get(), 64 * 1024));
    if (piece.bytes.empty()) {
      return absl::UnavailableError(
          base::StrCat("ask server for '", op, "': it closed the connection"));
    }
    received_ += piece.bytes;
  }
  const std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  boost::system::error_code error;
  json::value reply = json::parse(line, error);
  if (error || !reply.is_object()) {
    return absl::InternalError(
        base::StrCat("ask server for '", op, "': its reply is no JSON"));
  }
  json::object& object = reply.get_object();
  const json::value* ok = object.if_contains("ok");
  if (ok == nullptr || !ok->is_bool() || !ok->get_bool()) {
    return absl::Status(CodeNamed(TextOf(object, "code")),
                        base::ToAbsl(TextOf(object, "message")));
  }
  return std::move(object);
}

void ControlClient::WaitForClose() {
  while (true) {
    const auto piece = runtime::ReceiveWithFds(socket_.get(), 4096);
    if (!piece.ok() || piece->bytes.empty()) return;
  }
}

}  // namespace brume::app

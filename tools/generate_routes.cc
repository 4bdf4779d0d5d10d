// generate_routes DESCRIPTOR_SET OUT.cc
//
// Writes the rows of api/route_rows.h from a descriptor set: every method of
// every service in it, and every google.api.http binding. Runs at build time;
// needs nothing but libprotobuf, so it waits for no generated code.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace pb = google::protobuf;

// google/api/annotations.proto and client.proto.
constexpr int kHttpOption = 72295728;
constexpr int kDefaultHostOption = 1049;

struct Route {
  std::string host;
  std::string verb;
  std::string path;
  std::string method;
  std::string body;
  std::string response_body;
};

struct Known {
  std::string name;
  std::string host;
  bool streaming = false;
};

std::string StringField(const pb::UnknownFieldSet& set, int number) {
  std::string value;
  for (int i = 0; i < set.field_count(); ++i) {
    const pb::UnknownField& field = set.field(i);
    if (field.number() == number &&
        field.type() == pb::UnknownField::TYPE_LENGTH_DELIMITED) {
      value = field.length_delimited();
    }
  }
  return value;
}

// One google.api.HttpRule (google/api/http.proto) and its additional bindings.
void AddRules(const std::string& bytes, const std::string& host,
              const std::string& method, std::vector<Route>* routes) {
  pb::UnknownFieldSet rule;
  if (!rule.ParseFromString(bytes)) return;
  static constexpr std::pair<int, const char*> kVerbs[] = {
      {2, "GET"}, {3, "PUT"}, {4, "POST"}, {5, "DELETE"}, {6, "PATCH"}};
  Route route{
      host, "", "", method, StringField(rule, 7), StringField(rule, 12)};
  for (const auto& [number, verb] : kVerbs) {
    const std::string path = StringField(rule, number);
    if (path.empty()) continue;
    route.verb = verb;
    route.path = path;
  }
  if (const std::string custom = StringField(rule, 8); !custom.empty()) {
    pb::UnknownFieldSet pattern;
    if (pattern.ParseFromString(custom)) {
      route.verb = StringField(pattern, 1);
      route.path = StringField(pattern, 2);
    }
  }
  if (!route.path.empty()) routes->push_back(route);
  for (int i = 0; i < rule.field_count(); ++i) {
    if (rule.field(i).number() == 11) {
      AddRules(rule.field(i).length_delimited(), host, method, routes);
    }
  }
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: generate_routes DESCRIPTOR_SET OUT.cc\n";
    return 2;
  }
  pb::FileDescriptorSet set;
  std::ifstream in(argv[1], std::ios::binary);
  if (!set.ParseFromIstream(&in)) {
    std::cerr << "generate_routes: cannot read " << argv[1] << "\n";
    return 1;
  }
  std::vector<Route> routes;
  std::vector<Known> known;
  for (const pb::FileDescriptorProto& file : set.file()) {
    for (const pb::ServiceDescriptorProto& service : file.service()) {
      const std::string host =
          StringField(service.options().unknown_fields(), kDefaultHostOption);
      for (const pb::MethodDescriptorProto& method : service.method()) {
        const std::string name =
            file.package() + "." + service.name() + "." + method.name();
        known.push_back(
            {name, host,
             method.client_streaming() || method.server_streaming()});
        const std::string rule =
            StringField(method.options().unknown_fields(), kHttpOption);
        if (!rule.empty()) AddRules(rule, host, name, &routes);
      }
    }
  }
  std::stable_sort(
      routes.begin(), routes.end(),
      [](const Route& a, const Route& b) { return a.host < b.host; });
  std::sort(known.begin(), known.end(),
            [](const Known& a, const Known& b) { return a.name < b.name; });

  std::ofstream out(argv[2]);
  out << "// Made by tools/generate_routes.cc; see api/route_rows.h.\n"
         "#include \"api/route_rows.h\"\n\nnamespace brume::api {\n\n"
         "const RouteRow kRouteRows[] = {\n";
  for (const Route& route : routes) {
    out << "    {" << Quoted(route.host) << ", " << Quoted(route.verb) << ", "
        << Quoted(route.path) << ", " << Quoted(route.method) << ", "
        << Quoted(route.body) << ", " << Quoted(route.response_body) << "},\n";
  }
  out << "};\nconst size_t kRouteRowCount = " << routes.size()
      << ";\n\nconst KnownMethod kKnownMethods[] = {\n";
  for (const Known& method : known) {
    out << "    {" << Quoted(method.name) << ", " << Quoted(method.host) << ", "
        << (method.streaming ? "true" : "false") << "},\n";
  }
  out << "};\nconst size_t kKnownMethodCount = " << known.size()
      << ";\n\n}  // namespace brume::api\n";
  return out.good() ? 0 : 1;
}

#pragma once

#include "api/admission.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace brume::api::metadata {

// What the metadata of one machine says.
struct Facts {
  std::string email;
  ProjectRef project;
  std::string zone;
  // Of the run or job: the machine's name.
  std::string name;
  std::vector<std::string> scopes;
};

// Everything under /computeMetadata/v1/, keys in the camel case of JSON.
boost::json::object TreeOf(const Facts& facts);

// "numericProjectId" of the path's "numeric-project-id", and back.
std::string CamelCase(std::string_view kebab);
std::string KebabCase(std::string_view camel);

// The value at a path ("instance/zone"), nullptr when there is none. Lists of
// objects are directories of their indices.
const boost::json::value* Find(const boost::json::value& tree,
                               std::string_view path);

// A directory's lines: names, "/" behind those that are directories.
std::string Listing(const boost::json::value& directory);
// A leaf as text: a string as it is, lists of texts one a line.
std::string LeafText(const boost::json::value& leaf);
// All leaves below, "path value" a line (alt=text with recursive).
std::string RecursiveText(const boost::json::value& value);
bool IsDirectory(const boost::json::value& value);

}  // namespace brume::api::metadata

#include "exec/local/oci_config.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace brume::exec {
namespace {

namespace json = boost::json;
using store::image::ImageConfig;
using Words = std::vector<std::string>;

// Docker's table: image ENTRYPOINT and CMD against the task's command and args.
TEST(OciConfigTest, CommandLinesFollowDockersRules) {
  ImageConfig image;
  image.entrypoint = {"entry"};
  image.cmd = {"cmd"};
  TaskSpec spec;
  EXPECT_EQ(*CommandLine(image, spec), (Words{"entry", "cmd"}));
  spec.args = {{"arg"}};
  EXPECT_EQ(*CommandLine(image, spec), (Words{"entry", "arg"}));
  spec.command = {{"command"}};
  EXPECT_EQ(*CommandLine(image, spec), (Words{"command", "arg"}));
  spec.args.reset();
  EXPECT_EQ(*CommandLine(image, spec), Words{"command"});
  spec.command.reset();
  spec.args = Words();
  EXPECT_EQ(*CommandLine(image, spec), Words{"entry"});
  image.entrypoint.clear();
  EXPECT_EQ(CommandLine(image, spec).status().message(),
            "No command specified");
}

TEST(OciConfigTest, TheTasksVariablesWin) {
  ImageConfig image;
  image.env = {"A=image", "B=image=x", "EMPTY"};
  TaskSpec spec;
  spec.env = {{"A", "task"}, {"SSL_CERT_FILE", "/mine"}};
  ImageUser user;
  user.home = "/home/app";

  const auto env = Environment(image, spec, user, "/bundle");

  EXPECT_EQ(env.at("A"), "task");
  EXPECT_EQ(env.at("B"), "image=x");
  EXPECT_EQ(env.at("EMPTY"), "");
  EXPECT_EQ(env.at("HOME"), "/home/app");
  EXPECT_EQ(env.at("SSL_CERT_FILE"), "/mine");
  EXPECT_EQ(env.at("REQUESTS_CA_BUNDLE"), "/bundle");
  EXPECT_TRUE(env.at("PATH").starts_with("/usr/local/sbin:"));
}

TEST(OciConfigTest, AnOrdinaryUserHasNoCapabilities) {
  OciOptions options;
  options.argv = {"x"};
  options.user.uid = 1000;

  const json::value config = json::parse(WriteOciConfig(options));

  const json::object& process = config.at("process").as_object();
  EXPECT_TRUE(process.at("noNewPrivileges").as_bool());
  EXPECT_TRUE(process.at("capabilities").at("effective").as_array().empty());
  EXPECT_FALSE(process.contains("rlimits"));
}

TEST(OciConfigTest, LimitsAreWrittenWhereTheyCanBeKept) {
  OciOptions options;
  options.argv = {"x"};
  options.cpus = 1.5;
  options.memory = 1 << 20;

  json::value config = json::parse(WriteOciConfig(options));
  EXPECT_FALSE(
      config.at("linux").at("resources").as_object().contains("memory"));
  options.cgroups = {.writable = true, .cpu = true, .memory = true};
  config = json::parse(WriteOciConfig(options));

  const json::value& resources = config.at("linux").at("resources");
  EXPECT_EQ(resources.at("memory").at("limit"), 1 << 20);
  EXPECT_EQ(resources.at("cpu").at("quota"), 150'000);
}

}  // namespace
}  // namespace brume::exec

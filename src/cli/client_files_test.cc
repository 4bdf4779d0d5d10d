#include "cli/client_files.h"

#include "cli/files.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>

namespace brume::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const Account kOwner = {.email = "owner@example.com",
                        .client_id = "cid",
                        .client_secret = "secret",
                        .refresh_token = "1//refresh",
                        .project = "lab"};

class ClientFilesTest : public testing::Test {
 protected:
  ClientFilesTest() {
    std::string name = testing::TempDir() + "brume-client-XXXXXX";
    top_ = mkdtemp(name.data());
  }
  ~ClientFilesTest() override { std::filesystem::remove_all(top_); }

  ClientFiles Write(const Account& account) {
    auto files = WriteClientFiles(
        {.folder = top_ + "/c", .ca_pem = "", .account = account},
        [this](std::string_view name) -> std::optional<std::string> {
          if (name == "HOME") return top_ + "/home";
          return std::nullopt;
        });
    EXPECT_TRUE(files.ok()) << files.status();
    return *std::move(files);
  }

  // account_id -> value.
  std::map<std::string, std::string> Stored(const ClientFiles& files) {
    sqlite3* database = nullptr;
    EXPECT_EQ(
        sqlite3_open((files.gcloud + "/credentials.db").c_str(), &database),
        SQLITE_OK);
    std::map<std::string, std::string> out;
    sqlite3_exec(
        database, "SELECT account_id, value FROM credentials",
        [](void* map, int, char** values, char**) {
          (*static_cast<std::map<std::string, std::string>*>(map))[values[0]] =
              values[1];
          return 0;
        },
        &out, nullptr);
    sqlite3_close(database);
    return out;
  }

  std::string top_;
};

TEST_F(ClientFilesTest, TheOwnerIsSignedInForEveryClient) {
  const ClientFiles files = Write(kOwner);
  const auto stored = Stored(files);
  ASSERT_EQ(stored.size(), 1u);
  const auto value = boost::json::parse(stored.at("owner@example.com"));
  EXPECT_EQ(value.at("type").as_string(), "authorized_user");
  EXPECT_EQ(value.at("refresh_token").as_string(), "1//refresh");
  const std::string legacy =
      files.gcloud + "/legacy_credentials/owner@example.com/";
  EXPECT_THAT(ReadWholeFile(legacy + ".boto"),
              HasSubstr("gs_oauth2_refresh_token = 1//refresh\n"));
  EXPECT_EQ(ReadWholeFile(legacy + "adc.json"), ReadWholeFile(files.adc));
  EXPECT_THAT(ReadWholeFile(files.gcloud + "/configurations/config_default"),
              HasSubstr("account = owner@example.com\nproject = lab\n"));
}

TEST_F(ClientFilesTest, WhatTheUserChangedStaysAndOurCredentialsAreRenewed) {
  const ClientFiles files = Write(kOwner);
  const std::string config = files.gcloud + "/configurations/config_default";
  ASSERT_TRUE(WriteWholeFile(config, "[core]\nproject = mine\n").ok());
  Account renewed = kOwner;
  renewed.refresh_token = "1//another";
  Write(renewed);
  EXPECT_EQ(ReadWholeFile(config), "[core]\nproject = mine\n");
  EXPECT_THAT(Stored(files).at("owner@example.com"), HasSubstr("1//another"));
  EXPECT_THAT(ReadWholeFile(files.adc), HasSubstr("1//another"));
  Account other = kOwner;
  other.email = "second@example.com";
  Write(other);
  EXPECT_EQ(Stored(files).size(), 2u);
  ASSERT_TRUE(WriteWholeFile(files.adc, R"({"client_id": "mine"})").ok());
  Write(kOwner);
  EXPECT_EQ(ReadWholeFile(files.adc), R"({"client_id": "mine"})");
}

TEST_F(ClientFilesTest, SecretsAreTheirOwnersAlone) {
  const ClientFiles files = Write(kOwner);
  for (const std::string& path :
       {files.adc, files.boto, files.netrc,
        files.gcloud + "/legacy_credentials/owner@example.com/.boto"}) {
    struct stat info = {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 077, 0u) << path;
  }
  struct stat info = {};
  ASSERT_EQ(::stat(files.gcloud.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(ClientFilesTest, DockerKeepsContextsAndPluginsButNoPasswords) {
  std::filesystem::create_directories(top_ + "/home/.docker/cli-plugins");
  ASSERT_TRUE(
      WriteWholeFile(top_ + "/home/.docker/config.json",
                     R"({"auths":{"gcr.io":{"auth":"c2VjcmV0"}},)"
                     R"("credHelpers":{"gcr.io":"x"},"currentContext":"box"})")
          .ok());
  const ClientFiles files = Write(kOwner);
  const std::string config = ReadWholeFile(files.docker + "/config.json");
  EXPECT_THAT(config, HasSubstr(R"("currentContext":"box")"));
  EXPECT_THAT(config, Not(HasSubstr("c2VjcmV0")));
  EXPECT_THAT(config, Not(HasSubstr("credHelpers")));
  EXPECT_TRUE(std::filesystem::exists(files.docker + "/cli-plugins"));
}

}  // namespace
}  // namespace brume::cli

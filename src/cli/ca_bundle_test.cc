#include "cli/ca_bundle.h"

#include "cli/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace brume::cli {
namespace {

std::string Pem(std::string_view body) {
  return std::string("-----BEGIN CERTIFICATE-----\n") + std::string(body) +
         "\n-----END CERTIFICATE-----\n";
}

size_t CountOf(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != text.npos;
       at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

TEST(CaBundleTest, HoldsTheSystemsTheUsersAndOursOnceEach) {
  std::string name = testing::TempDir() + "brume-ca-XXXXXX";
  const std::string top = mkdtemp(name.data());
  ASSERT_TRUE(
      WriteWholeFile(top + "/company.pem",
                     "# Company\n" + Pem("Q09N\r\nUEFO\r") + Pem("T1VSUw=="))
          .ok());
  ASSERT_TRUE(WriteWholeFile(top + "/own.pem", Pem("c3RhbGU=")).ok());
  const auto environment =
      [&](std::string_view variable) -> std::optional<std::string> {
    if (variable == "REQUESTS_CA_BUNDLE") return top + "/company.pem";
    if (variable == "CURL_CA_BUNDLE") return top + "/company.pem";
    if (variable == "SSL_CERT_FILE") return top + "/own.pem";
    if (variable == "PIP_CERT") return top + "/missing.pem";
    return std::nullopt;
  };
  const std::string bundle =
      MakeCaBundle(environment, top + "/own.pem", Pem("T1VSUw=="));
  EXPECT_EQ(CountOf(bundle, "UEFO"), 1u);
  EXPECT_EQ(CountOf(bundle, "T1VSUw=="), 1u);
  EXPECT_EQ(CountOf(bundle, "c3RhbGU="), 0u);
  for (const std::string_view path : SystemBundles()) {
    const std::string system = ReadWholeFile(std::string(path));
    if (system.empty()) continue;
    EXPECT_EQ(CountOf(bundle, "BEGIN CERTIFICATE"),
              CountOf(system, "BEGIN CERTIFICATE") + 2);
    break;
  }
  std::filesystem::remove_all(top);
}

TEST(CaBundleTest, BrokenFilesAddNothing) {
  const std::string bundle =
      MakeCaBundle([](std::string_view) { return std::nullopt; }, "/none",
                   "-----BEGIN CERTIFICATE-----\nhalf");
  EXPECT_EQ(bundle.find("half"), std::string::npos);
}

}  // namespace
}  // namespace brume::cli

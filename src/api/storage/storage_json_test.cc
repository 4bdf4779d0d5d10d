#include "api/storage/storage_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::api::storage {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(StorageJsonTest, BucketHasGooglesFieldsAndDefaults) {
  const Got got = Send("GET", "/storage/v1/b/bkt?projection=full");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("kind"), "storage#bucket");
  EXPECT_EQ(got.Field("id"), "bkt");
  EXPECT_EQ(got.Field("selfLink"),
            "https://www.googleapis.com/storage/v1/b/bkt");
  EXPECT_EQ(got.Field("projectNumber"), "123");
  EXPECT_EQ(got.Field("metageneration"), "1");
  EXPECT_EQ(got.Field("location"), "US");
  EXPECT_EQ(got.Field("locationType"), "multi-region");
  EXPECT_EQ(got.Field("storageClass"), "STANDARD");
  EXPECT_EQ(got.Field("etag"), "CAE=");
  EXPECT_EQ(got.Field("timeCreated"), "2023-11-14T22:13:20.000Z");
  EXPECT_THAT(got.Field("acl"), HasSubstr("project-owners-123"));
  EXPECT_THAT(got.Field("iamConfiguration"),
              HasSubstr("\"publicAccessPrevention\":\"inherited\""));
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt").Field("acl"), "(absent)");
}

TEST_F(StorageJsonTest, BucketErrorsAreGoogles) {
  const Got missing = Send("GET", "/storage/v1/b/nope-nope");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("The specified bucket does not exist."));
  EXPECT_EQ(Reason(missing), "notFound");
  const Got again =
      Send("POST", "/storage/v1/b/?project=p", {}, R"({"name":"bkt"})");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(Reason(again), "conflict");
  EXPECT_EQ(
      Send("POST", "/storage/v1/b?project=p", {}, R"({"name":"A"})").status,
      400);
  EXPECT_EQ(
      Send("POST", "/storage/v1/b?project=q", {}, R"({"name":"abc"})").status,
      400);
  EXPECT_EQ(Reason(Send("POST", "/storage/v1/b", {}, R"({"name":"abc"})")),
            "required");
  EXPECT_EQ(Reason(Send("POST", "/storage/v1/b?project=p", {}, "{\"name\"")),
            "parseError");
  EXPECT_EQ(Send("POST", "/storage/v1/b?project=p", {},
                 R"({"name":"abc","location":"mars"})")
                .status,
            400);
}

TEST_F(StorageJsonTest, BucketPatchKeepsNullAndAbsentApart) {
  ASSERT_EQ(Send("PATCH", "/storage/v1/b/bkt", {},
                 R"({"labels":{"a":"1","b":"2"},"website":{"mainPageSuffix":
                     "i"},"cors":[{"method":["GET"],"maxAgeSeconds":5}],
                     "lifecycle":{"rule":[{"action":{"type":"Delete"},
                     "condition":{"age":7}}]},"unknown":3})")
                .status,
            200);
  const Got got =
      Send("PATCH", "/storage/v1/b/bkt", {},
           R"({"labels":{"a":null,"c":"3"},"website":null,"id":"x"})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("labels"), R"({"b":"2","c":"3"})");
  EXPECT_EQ(got.Field("website"), "(absent)");
  EXPECT_THAT(got.Field("cors"), HasSubstr("\"maxAgeSeconds\":5"));
  EXPECT_THAT(got.Field("lifecycle"), HasSubstr("\"age\":7"));
  EXPECT_EQ(got.Field("metageneration"), "3");
  EXPECT_EQ(Send("PATCH", "/storage/v1/b/bkt?ifMetagenerationMatch=1", {}, "{}")
                .status,
            412);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt?ifMetagenerationNotMatch=3").status,
            304);
  const Got misfit =
      Send("PATCH", "/storage/v1/b/bkt", {}, R"({"versioning":{"enabled":7}})");
  EXPECT_EQ(misfit.status, 400);
  EXPECT_THAT(misfit.body, HasSubstr("'versioning.enabled'"));
}

TEST_F(StorageJsonTest, UniformAccessIsLockedLaterAndTurnsListsOff) {
  const Got got = Send("PATCH", "/storage/v1/b/bkt", {},
                       R"({"iamConfiguration":{"bucketPolicyOnly":
                           {"enabled":true}}})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_THAT(got.Field("iamConfiguration"),
              HasSubstr("\"lockedTime\":\"2024-02-12T22:13:20.000Z\""));
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/acl").status, 400);
  EXPECT_EQ(Put("x", "1", "&predefinedAcl=publicRead").status, 400);
  EXPECT_EQ(Put("x", "1").status, 200);
}

TEST_F(StorageJsonTest, BucketListsHavePages) {
  for (const char* name : {"bkt2", "bkt3"}) {
    ASSERT_EQ(Send("POST", "/storage/v1/b?project=123", {},
                   std::string(R"({"name":")") + name + R"("})")
                  .status,
              200);
  }
  const Got page = Send("GET", "/storage/v1/b?project=p&maxResults=2");
  EXPECT_EQ(page.Field("kind"), "storage#buckets");
  EXPECT_EQ(page.Json().at("items").as_array().size(), 2u);
  const Got rest =
      Send("GET", "/storage/v1/b?project=p&maxResults=2&pageToken=" +
                      page.Field("nextPageToken"));
  EXPECT_EQ(rest.Json().at("items").at(0).at("name").as_string(), "bkt3");
  EXPECT_EQ(rest.Field("nextPageToken"), "(absent)");
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt3").status, 204);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt3").status, 404);
}

TEST_F(StorageJsonTest, ListsSelectAndPage) {
  for (const char* name : {"a.txt", "d%2F1", "d%2F2", "e%2F1", "z"}) {
    ASSERT_EQ(Put(name, name).status, 200);
  }
  const Got got = Send("GET",
                       "/storage/v1/b/bkt/o?delimiter=/&maxResults=2&fields="
                       "prefixes,items/name,nextPageToken&prettyPrint=false");
  EXPECT_THAT(got.body, StartsWith(R"({"nextPageToken":")"));
  EXPECT_EQ(got.Field("items"), R"([{"name":"a.txt"}])");
  EXPECT_EQ(got.Field("prefixes"), R"(["d/"])");
  const Got rest = Send("GET", "/storage/v1/b/bkt/o?delimiter=/&pageToken=" +
                                   got.Field("nextPageToken"));
  EXPECT_EQ(rest.Field("prefixes"), R"(["e/"])");
  EXPECT_EQ(rest.Field("kind"), "storage#objects");
  const Got glob = Send("GET", "/storage/v1/b/bkt/o?matchGlob=**%2F1");
  EXPECT_EQ(glob.Json().at("items").as_array().size(), 2u);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o?softDeleted=true").Field("items"),
            "(absent)");
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o?fields=a(").status, 400);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o?maxResults=x").status, 400);
  EXPECT_EQ(Send("GET", "/storage/v1/b/none-such/o").status, 404);
}

TEST_F(StorageJsonTest, ObjectPatchAndUpdate) {
  ASSERT_EQ(Put("o", "1").status, 200);
  ASSERT_EQ(Send("PATCH", "/storage/v1/b/bkt/o/o", {},
                 R"({"metadata":{"a":"1","b":"2"},"cacheControl":"no-store"})")
                .status,
            200);
  const Got got = Send("PATCH", "/storage/v1/b/bkt/o/o?projection=full", {},
                       R"({"metadata":{"a":null},"contentType":"x/y",
                           "size":"99","generation":"4","md5Hash":"zz"})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("metadata"), R"({"b":"2"})");
  EXPECT_EQ(got.Field("cacheControl"), "no-store");
  EXPECT_EQ(got.Field("size"), "1");
  EXPECT_EQ(got.Field("metageneration"), "3");
  EXPECT_THAT(got.Field("owner"), HasSubstr("user-me@example.com"));
  EXPECT_THAT(got.Field("acl"), HasSubstr("user-me@example.com"));
  const Got put =
      Send("PUT", "/storage/v1/b/bkt/o/o", {}, R"({"contentType":"p/q"})");
  EXPECT_EQ(put.Field("metadata"), "(absent)");
  EXPECT_EQ(put.Field("contentType"), "p/q");
  EXPECT_EQ(
      Send("PATCH", "/storage/v1/b/bkt/o/o?ifMetaGenerationMatch=1", {}, "{}")
          .status,
      412)
      << "parameter names compare without case";
}

TEST_F(StorageJsonTest, ComposeJoinsBytesAndChecksums) {
  ASSERT_EQ(Put("a", "hel").status, 200);
  ASSERT_EQ(Put("b", std::string(100'000, 'l')).status, 200);
  const Got got = Send(
      "POST", "/storage/v1/b/bkt/o/ab/compose", {},
      R"({"destination":{"contentType":"t/x","crc32c":"AAAAAA=="},"sourceObjects":[{"name":"a"},
          {"name":"b"},{"name":"a"}]})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.Field("componentCount"), "3");
  EXPECT_EQ(got.Field("md5Hash"), "(absent)");
  EXPECT_EQ(got.Field("contentType"), "t/x");
  const std::string bytes = "hel" + std::string(100'000, 'l') + "hel";
  EXPECT_EQ(Read("ab").body, bytes);
  EXPECT_EQ(got.Field("crc32c"), Put("same", bytes).Field("crc32c"));
  const Got stale = Send("POST", "/storage/v1/b/bkt/o/x/compose", {},
                         R"({"sourceObjects":[{"name":"a",
                             "objectPreconditions":{"ifGenerationMatch":"5"}}]})");
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(Send("POST", "/storage/v1/b/bkt/o/x/compose", {}, "{}").status,
            400);
  std::string many = R"({"sourceObjects":[)";
  for (int i = 0; i < 33; ++i)
    many += (i ? "," : "") + std::string("{\"name\":\"a\"}");
  EXPECT_THAT(
      Send("POST", "/storage/v1/b/bkt/o/x/compose", {}, many + "]}").body,
      HasSubstr("exceeds the maximum (32)"));
}

TEST_F(StorageJsonTest, RewriteCopyAndMove) {
  const std::string bytes(100'000, 'b');
  ASSERT_EQ(Put("a", bytes).status, 200);
  const Got rewrite =
      Send("POST", "/storage/v1/b/bkt/o/a/rewriteTo/b/bkt/o/dir%2Fb", {}, "");
  ASSERT_EQ(rewrite.status, 200) << rewrite.body;
  EXPECT_EQ(rewrite.Field("kind"), "storage#rewriteResponse");
  EXPECT_EQ(rewrite.Field("totalBytesRewritten"), "100000");
  EXPECT_EQ(rewrite.Field("done"), "true");
  EXPECT_EQ(rewrite.Json().at("resource").at("contentType").as_string(),
            "text/plain");
  const Got copy = Send("POST", "/storage/v1/b/bkt/o/a/copyTo/b/bkt/o/c", {},
                        R"({"contentType":"n/w","storageClass":"NEARLINE"})");
  EXPECT_EQ(copy.Field("contentType"), "n/w");
  EXPECT_EQ(copy.Field("storageClass"), "NEARLINE");
  ASSERT_EQ(Send("POST", "/storage/v1/b/bkt/o/a/moveTo/o/m").status, 200);
  EXPECT_EQ(Read("a").status, 404);
  for (const char* name : {"dir%2Fb", "c", "m"})
    EXPECT_EQ(Read(name).body, bytes);
  EXPECT_EQ(
      Send("POST",
           "/storage/v1/b/bkt/o/c/rewriteTo/b/bkt/o/m?ifGenerationMatch=0")
          .status,
      412);
}

TEST_F(StorageJsonTest, AccessListsAndPolicies) {
  ASSERT_EQ(Put("o", "1").status, 200);
  const Got added = Send("POST", "/storage/v1/b/bkt/o/o/acl", {},
                         R"({"entity":"allUsers","role":"READER"})");
  ASSERT_EQ(added.status, 200) << added.body;
  EXPECT_EQ(added.Field("kind"), "storage#objectAccessControl");
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/o/acl")
                .Json()
                .at("items")
                .as_array()
                .size(),
            5u);
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/o/acl/allUsers").status, 204);
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/o/o/acl/allUsers").status, 404);
  EXPECT_EQ(Send("POST", "/storage/v1/b/bkt/acl", {},
                 R"({"entity":"who-is","role":"READER"})")
                .status,
            400);
  EXPECT_EQ(Send("PUT", "/storage/v1/b/bkt/defaultObjectAcl/allUsers", {},
                 R"({"role":"READER"})")
                .status,
            404);

  const Got policy =
      Send("GET", "/storage/v1/b/bkt/iam?optionsRequestedPolicyVersion=3");
  EXPECT_EQ(policy.Field("kind"), "storage#policy");
  EXPECT_THAT(policy.Field("bindings"), HasSubstr("projectEditor:p"));
  EXPECT_EQ(policy.Field("etag"), "CAE=");
  const std::string set =
      R"({"bindings":[{"role":"roles/storage.objectAdmin",
          "members":["user:a@b.c"]}],"etag":"CAE="})";
  const Got changed = Send("PUT", "/storage/v1/b/bkt/iam", {}, set);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.Field("etag"), "CAI=");
  EXPECT_EQ(Send("PUT", "/storage/v1/b/bkt/iam", {}, set).status, 412)
      << "the etag is old now";
  EXPECT_EQ(Send("GET",
                 "/storage/v1/b/bkt/iam/testPermissions?permissions="
                 "a.b.c&permissions=d.e.f")
                .Field("permissions"),
            R"(["a.b.c","d.e.f"])");
}

TEST_F(StorageJsonTest, BatchCallsEachAndInheritsTheToken) {
  ASSERT_EQ(Put("a", "1").status, 200);
  const Got got =
      Send("POST", "/batch/storage/v1",
           {{"content-type", "multipart/mixed; boundary=\"==1==\""}},
           "--==1==\nContent-Type: application/http\n\nDELETE https://"
           "storage.googleapis.com/storage/v1/b/bkt/o/a HTTP/1.1\n\n\n"
           "--==1==\nContent-Type: application/http\nContent-ID: <7>\n\n"
           "GET /storage/v1/b/bkt/o/none HTTP/1.1\n\n\n--==1==--\n");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_THAT(got.body, HasSubstr("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(got.body, HasSubstr("Content-ID: <response-7>\r\n"));
  EXPECT_THAT(got.body, HasSubstr("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_EQ(Read("a").status, 404);
}

TEST_F(StorageJsonTest, EmptyAnswersHaveTheRightShape) {
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/managedFolders?pageSize=1000")
                .Field("items"),
            "[]");
  EXPECT_EQ(Send("GET", "/storage/v1/b/bkt/notificationConfigs").Field("kind"),
            "storage#notifications");
  const Got layout = Send("GET", "/storage/v1/b/bkt/storageLayout");
  EXPECT_EQ(layout.Field("hierarchicalNamespace"), R"({"enabled":false})");
  EXPECT_EQ(layout.Field("location"), "US");
  EXPECT_EQ(Send("GET", "/storage/v1/projects/p/serviceAccount")
                .Field("email_address"),
            "service-123@gs-project-accounts.iam.gserviceaccount.com");
  EXPECT_EQ(Send("GET", "/storage/v1/nothing").status, 404);
  const Got known = Send("POST", "/storage/v1/b/bkt/folders", {}, "{}");
  EXPECT_EQ(known.status, 400);
  EXPECT_EQ(Reason(known), "METHOD_NOT_SERVED");
  const Got xml = Send("GET", "/bkt/o");
  EXPECT_EQ(xml.status, 400);
  EXPECT_THAT(xml.body, HasSubstr("<Code>METHOD_NOT_SERVED</Code>"));
}

TEST_F(StorageJsonTest, EmulatorStyleIsAnonymousAndLinksToUs) {
  const auto emulator = [&](const std::string& method,
                            const std::string& target, std::string_view body) {
    RequestHead head;
    head.method = method;
    head.base_url = "http://127.0.0.1:9443";
    head.target = target;
    return SendHead(std::move(head), body, 1000);
  };
  const Got made =
      emulator("POST", "/storage/v1/b?project=%3Cnone%3E", R"({"name":"emu"})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.Field("projectNumber"), "123");
  const Got put = emulator(
      "POST", "/upload/storage/v1/b/emu/o?uploadType=media&name=x", "1");
  EXPECT_THAT(
      put.Field("mediaLink"),
      StartsWith("http://127.0.0.1:9443/download/storage/v1/b/emu/o/x"));
  EXPECT_EQ(emulator("GET", "/b/emu/o/x?alt=media", "").body, "1");
  EXPECT_EQ(emulator("GET", "/b", "").status, 200);
  RequestHead other;
  other.target = "/v1/projects";
  EXPECT_FALSE(storage_->Owns(other));
}

TEST_F(StorageJsonTest, WrongTokenIsRefusedAndCallsAreRecorded) {
  const Got got =
      Send("GET", "/storage/v1/b/bkt", {{"authorization", "Bearer bad"}});
  EXPECT_EQ(got.status, 401);
  EXPECT_THAT(got.body, HasSubstr("Invalid Credentials"));
  EXPECT_EQ(Reason(got), "authError");
  decisions_.clear();
  ASSERT_EQ(Put("o", "1").status, 200);
  ASSERT_EQ(decisions_.size(), 1u);
  EXPECT_EQ(decisions_[0].permission, "storage.objects.create");
  EXPECT_EQ(decisions_[0].resource, "projects/_/buckets/bkt");
  EXPECT_EQ(decisions_[0].principal, "user:me@example.com");
}

TEST_F(StorageJsonTest, HoldsAndRetentionKeepObjects) {
  ASSERT_EQ(Put("h", "1").status, 200);
  ASSERT_EQ(
      Send("PATCH", "/storage/v1/b/bkt/o/h", {}, R"({"temporaryHold":true})")
          .status,
      200);
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/h").status, 403);
  ASSERT_EQ(Send("PATCH", "/storage/v1/b/bkt", {},
                 R"({"retentionPolicy":{"retentionPeriod":"100"}})")
                .status,
            200);
  const Got put = Put("r", "1");
  EXPECT_EQ(put.Field("retentionExpirationTime"), "2023-11-14T22:15:00.000Z");
  const Got kept = Send("DELETE", "/storage/v1/b/bkt/o/r");
  EXPECT_EQ(kept.status, 403);
  EXPECT_EQ(Reason(kept), "retentionPolicyNotMet");
  clock_.Advance(absl::Seconds(101));
  EXPECT_EQ(Send("DELETE", "/storage/v1/b/bkt/o/r").status, 204);
}

}  // namespace
}  // namespace brume::api::storage

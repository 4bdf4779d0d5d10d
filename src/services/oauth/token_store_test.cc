#include "services/oauth/token_store.h"

#include "services/oauth/owner.h"
#include "store/kv/key.h"
#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

#include <string>

namespace brume::services::oauth {
namespace {

class TokenStoreTest : public testing::Test {
 protected:
  brume::oauth::TokenRecord Record() {
    brume::oauth::TokenRecord record;
    record.set_email("a@p.iam.gserviceaccount.com");
    record.set_service_account(true);
    return record;
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  TokenStore tokens_{{.kv = &kv_, .clock = &clock_}};
};

TEST_F(TokenStoreTest, ATokenIsKnownUntilItExpires) {
  const auto access = tokens_.MintAccess(Record(), absl::Hours(1));
  ASSERT_TRUE(access.ok());
  EXPECT_EQ(access->token.substr(0, 7), "ya29.c.");
  EXPECT_EQ(access->expires_at, clock_.Now() + absl::Hours(1));
  // Another process over the same rows.
  const TokenStore again({.kv = &kv_, .clock = &clock_});
  const auto found = again.FindAccess(access->token);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->email(), "a@p.iam.gserviceaccount.com");

  clock_.Advance(absl::Hours(1));
  const absl::Status expired = tokens_.FindAccess(access->token).status();
  EXPECT_TRUE(absl::IsUnauthenticated(expired));
  EXPECT_EQ(expired.message(), "token expired");
}

TEST_F(TokenStoreTest, UnknownTokensAreRefused) {
  for (const char* token : {"", "ya29.c.c0", "\xff", "1//0x"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(tokens_.FindAccess(token).status()));
    EXPECT_TRUE(absl::IsUnauthenticated(tokens_.FindRefresh(token).status()));
    EXPECT_TRUE(absl::IsUnauthenticated(tokens_.Revoke(token)));
  }
}

TEST_F(TokenStoreTest, NoTokenLiesInTheStore) {
  const auto access = tokens_.MintAccess(Record(), absl::Hours(1));
  ASSERT_TRUE(access.ok());
  bool found = false;
  ASSERT_TRUE(kv_.Snapshot()
                  ->Scan({},
                         [&](std::string_view key, std::string_view value) {
                           found |= std::string(key).find(access->token) !=
                                        std::string::npos ||
                                    std::string(value).find(access->token) !=
                                        std::string::npos;
                           return true;
                         })
                  .ok());
  EXPECT_FALSE(found);
}

TEST_F(TokenStoreTest, ExpiredTokensAreClearedAway) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(tokens_.MintAccess(Record(), absl::Hours(1)).ok());
  }
  clock_.Advance(absl::Hours(26));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(tokens_.MintAccess(Record(), absl::Hours(1)).ok());
  }
  size_t rows = 0;
  ASSERT_TRUE(kv_.Snapshot()
                  ->Scan({},
                         [&](std::string_view, std::string_view) {
                           ++rows;
                           return true;
                         })
                  .ok());
  EXPECT_EQ(rows, 8U);  // of the four: a token and its expiry each
}

TEST_F(TokenStoreTest, RevokingARefreshTokenEndsWhatCameOfIt) {
  const auto owner = EnsureOwner(kv_);
  ASSERT_TRUE(owner.ok());
  brume::oauth::TokenRecord record;
  record.set_email(owner->email);
  record.set_refresh_hash(HashOf(owner->refresh_token));
  const auto access = tokens_.MintAccess(record, absl::Hours(1));
  const auto other = tokens_.MintAccess(Record(), absl::Hours(1));
  ASSERT_TRUE(tokens_.Revoke(owner->refresh_token).ok());
  EXPECT_FALSE(tokens_.FindRefresh(owner->refresh_token).ok());
  EXPECT_FALSE(tokens_.FindAccess(access->token).ok());
  EXPECT_TRUE(tokens_.FindAccess(other->token).ok());
}

// The second of two writers that interleave: a token that is minted while its
// refresh token is revoked must not outlive it.
TEST_F(TokenStoreTest, ATokenMintedDuringRevocationDoesNotSurvive) {
  const auto owner = EnsureOwner(kv_);
  ASSERT_TRUE(owner.ok());
  brume::oauth::TokenRecord record;
  record.set_email(owner->email);
  record.set_refresh_hash(HashOf(owner->refresh_token));
  const std::string refresh_row =
      store::Key("oauth.refresh").Add(record.refresh_hash()).str();
  bool revoked = false;
  absl::StatusOr<TokenStore::Access> minted = absl::UnknownError("not run");
  ASSERT_TRUE(kv_.Transact([&](store::KvTransaction& txn) -> absl::Status {
                   // A mint that has begun: it has locked the row.
                   const auto locked = txn.GetForUpdate(refresh_row);
                   if (!locked.ok()) return locked.status();
                   if (!revoked) {
                     revoked = true;
                     EXPECT_TRUE(tokens_.Revoke(owner->refresh_token).ok());
                   }
                   return txn.Put(refresh_row + "x", "");
                 })
                  .ok());
  EXPECT_GE(kv_.conflicts(), 1U);
  minted = tokens_.MintAccess(record, absl::Hours(1));
  EXPECT_TRUE(absl::IsUnauthenticated(minted.status()));
}

TEST_F(TokenStoreTest, TheOwnerIsOneAndGetsANewTokenAfterRevocation) {
  const auto first = EnsureOwner(kv_);
  const auto second = EnsureOwner(kv_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->email, "owner@brume.local");
  EXPECT_EQ(first->refresh_token, second->refresh_token);
  EXPECT_EQ(first->client_secret, second->client_secret);
  ASSERT_TRUE(tokens_.Revoke(first->refresh_token).ok());
  const auto third = EnsureOwner(kv_);
  ASSERT_TRUE(third.ok());
  EXPECT_NE(third->refresh_token, first->refresh_token);
  EXPECT_EQ(third->client_id, first->client_id);
  EXPECT_TRUE(tokens_.FindRefresh(third->refresh_token).ok());
}

}  // namespace
}  // namespace brume::services::oauth

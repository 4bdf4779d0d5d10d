#include "services/storage/preconditions.h"

#include <gtest/gtest.h>

namespace brume::services::storage {
namespace {

using brume::storage::Conditions;

TEST(PreconditionsTest, GenerationZeroMeansMustNotExist) {
  Conditions c;
  c.set_generation_match(0);
  EXPECT_TRUE(CheckConditions(c, 0, 0).ok());
  EXPECT_FALSE(CheckConditions(c, 7, 1).ok());
  EXPECT_FALSE(IsNotModified(CheckConditions(c, 7, 1)));

  Conditions exists;
  exists.set_generation_not_match(0);
  EXPECT_TRUE(CheckConditions(exists, 7, 1).ok());
  EXPECT_FALSE(CheckConditions(exists, 0, 0).ok());
}

TEST(PreconditionsTest, EveryConditionMustHold) {
  Conditions c;
  c.set_generation_match(7);
  c.set_metageneration_match(2);
  EXPECT_TRUE(CheckConditions(c, 7, 2).ok());
  EXPECT_FALSE(CheckConditions(c, 7, 1).ok());
  EXPECT_FALSE(CheckConditions(c, 8, 2).ok());
  EXPECT_FALSE(CheckConditions(c, 0, 0).ok());
}

TEST(PreconditionsTest, AFailedNotMatchIsNotModified) {
  Conditions c;
  c.set_metageneration_not_match(3);
  EXPECT_TRUE(CheckConditions(c, 7, 2).ok());
  EXPECT_TRUE(IsNotModified(CheckConditions(c, 7, 3)));
}

}  // namespace
}  // namespace brume::services::storage

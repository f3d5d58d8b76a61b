#include "protocol/base/buffer_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20;

TEST(BufferPoolTest, WhatIsGivenBackIsTakenAgain) {
  Bytes buffer = TakeBuffer(kLarge);
  ASSERT_EQ(buffer.size(), kLarge);
  const std::uint8_t* const data = buffer.data();
  GiveBuffer(std::move(buffer));
  const Bytes smaller = TakeBuffer(kLarge - 100);
  EXPECT_EQ(smaller.data(), data);
  EXPECT_EQ(smaller.size(), kLarge - 100);
}

TEST(BufferPoolTest, ABufferIsNeverTooSmallNorMuchTooLarge) {
  Bytes large = TakeBuffer(8 * kLarge);
  const std::uint8_t* const data = large.data();
  GiveBuffer(std::move(large));
  const Bytes small = TakeBuffer(kLarge);
  EXPECT_NE(small.data(), data);
  const Bytes larger = TakeBuffer(9 * kLarge);
  EXPECT_EQ(larger.size(), 9 * kLarge);
  EXPECT_NE(larger.data(), data);
  EXPECT_EQ(TakeBuffer(8 * kLarge).data(), data);
}

TEST(BufferPoolTest, SmallBuffersAreNewAndZero) {
  Bytes small = TakeBuffer(100);
  std::fill(small.begin(), small.end(), std::uint8_t{1});
  GiveBuffer(std::move(small));
  EXPECT_EQ(TakeBuffer(100), Bytes(100));
}

TEST(BufferPoolTest, KeepsABoundedAmount) {
  std::vector<Bytes> many;
  for (int i = 0; i < 100; ++i) many.push_back(TakeBuffer(kLarge));
  for (Bytes& buffer : many) {
    buffer[0] = 7;
    GiveBuffer(std::move(buffer));
  }
  int used_before = 0;
  for (int i = 0; i < 100; ++i) {
    many[static_cast<std::size_t>(i)] = TakeBuffer(kLarge);
    used_before += many[static_cast<std::size_t>(i)][0] == 7;
  }
  EXPECT_GE(used_before, 1);
  EXPECT_LE(used_before, 64);
}

TEST(BufferPoolTest, ASharedBufferGoesBackWithItsLastUser) {
  const std::uint8_t* data = nullptr;
  {
    const auto shared = ShareBuffer(TakeBuffer(3 * kLarge));
    data = shared->data();
    const auto other = shared;
    EXPECT_NE(TakeBuffer(3 * kLarge).data(), data);
  }
  EXPECT_EQ(TakeBuffer(3 * kLarge).data(), data);
  // Another thread has a pool of its own.
  GiveBuffer(TakeBuffer(kLarge));
  std::thread([] {
    Bytes buffer = TakeBuffer(kLarge);
    GiveBuffer(std::move(buffer));
  }).join();
}

}  // namespace
}  // namespace holdfast

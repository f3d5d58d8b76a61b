#include "server/log_text.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(LogText, NobodyWritesASecondLine) {
  EXPECT_EQ(EscapedForLog("sign-in of X\\eve\n2026-01-01 root signed in\x7F", false),
            "sign-in of X\\eve\\u000a2026-01-01 root signed in\\u007f");
}

TEST(LogText, JsonStaysJson) {
  EXPECT_EQ(EscapedForLog("DOMAIN\\alice \"signed\" in\t", true), "DOMAIN\\\\alice \\\"signed\\\" in\\u0009");
  EXPECT_EQ(EscapedForLog("J\xC3\xB6rg", true), "J\xC3\xB6rg");
}

}  // namespace
}  // namespace holdfast

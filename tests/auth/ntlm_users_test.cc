#include "auth/ntlm_users.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "auth/md4.h"
#include "tests/auth/temporary_folder.h"

namespace holdfast {
namespace {

std::string Hex(const std::array<std::uint8_t, 16>& bytes) {
  std::string text;
  for (std::uint8_t b : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", b);
    text += two;
  }
  return text;
}

std::array<std::uint8_t, 16> Md4Of(std::string_view s) {
  return Md4({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()});
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// [RFC 1320] A.5
TEST(Md4, GivesTheDigestsOfItsSpecification) {
  EXPECT_EQ(Hex(Md4Of("")), "31d6cfe0d16ae931b73c59d7e0c089c0");
  EXPECT_EQ(Hex(Md4Of("abc")), "a448017aaf21d8525fc10ae87aa6729d");
  EXPECT_EQ(Hex(Md4Of("12345678901234567890123456789012345678901234567890123456789012345678901234567890")),
            "e33b4ddc9c38f2199c3e7b164fcc0536");
}

// [MS-NLMP] 4.2.2.1.2
TEST(NtHash, IsTheOneOfTheSpecification) {
  EXPECT_EQ(Hex(*NtHash("Password")), "a4f49c406510bdcab6824ee7c30fd852");
  EXPECT_FALSE(NtHash("\xff"));
}

TEST(NtlmUsers, AreKeptAsHashesInAPrivateFile) {
  const TemporaryFolder folder;
  const std::string path = folder.File("users");
  std::string error;
  ASSERT_TRUE(AddNtlmUser(path, "alice", "Secret-1", {}, &error)) << error;
  struct stat st;
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  EXPECT_EQ(Content(path).find("Secret-1"), std::string::npos);
  const auto users = NtlmUsers::Load(path, &error);
  ASSERT_TRUE(users) << error;
  ASSERT_NE(users->Find("ALICE"), nullptr);
  EXPECT_EQ(users->Find("alice")->nt_hash, *NtHash("Secret-1"));
  EXPECT_EQ(users->Find("alic"), nullptr);
}

TEST(NtlmUsers, KeepTheirSidWhenThePasswordChanges) {
  const TemporaryFolder folder;
  const std::string path = folder.File("users");
  std::string error;
  ASSERT_TRUE(AddNtlmUser(path, "alice", "one", {}, &error)) << error;
  ASSERT_TRUE(AddNtlmUser(path, "bob", "two", {.administrator = true}, &error)) << error;
  const auto before = NtlmUsers::Load(path, &error);
  ASSERT_TRUE(AddNtlmUser(path, "Alice", "three", {.disabled = true}, &error)) << error;
  const auto after = NtlmUsers::Load(path, &error);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->users().size(), 2u);
  EXPECT_EQ(before->machine_sid(), after->machine_sid());
  EXPECT_EQ(before->Find("alice")->rid, after->Find("alice")->rid);
  EXPECT_NE(after->Find("alice")->rid, after->Find("bob")->rid);
  EXPECT_NE(before->Find("alice")->nt_hash, after->Find("alice")->nt_hash);
  EXPECT_TRUE(after->Find("alice")->disabled);
  EXPECT_EQ(after->Find("bob")->groups, std::vector<Sid>{well_known::Administrators()});
}

TEST(NtlmUsers, CanBeRemoved) {
  const TemporaryFolder folder;
  const std::string path = folder.File("users");
  std::string error;
  ASSERT_TRUE(AddNtlmUser(path, "alice", "one", {}, &error)) << error;
  ASSERT_TRUE(RemoveNtlmUser(path, "ALICE", &error)) << error;
  EXPECT_FALSE(RemoveNtlmUser(path, "alice", &error));
  EXPECT_NE(error.find(path), std::string::npos);
  EXPECT_TRUE(NtlmUsers::Load(path, &error)->users().empty());
}

TEST(NtlmUsers, AddedAtOnceAreAllThere) {
  const TemporaryFolder folder;
  const std::string path = folder.File("users");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&path, i] {
      std::string error;
      EXPECT_TRUE(AddNtlmUser(path, "user" + std::to_string(i), "secret", {}, &error)) << error;
    });
  for (std::thread& t : threads) t.join();
  std::string error;
  const auto users = NtlmUsers::Load(path, &error);
  ASSERT_TRUE(users) << error;
  EXPECT_EQ(users->users().size(), 8u);
}

TEST(NtlmUsers, RefuseNamesThatNoAccountMayHave) {
  const TemporaryFolder folder;
  std::string error;
  for (const char* name : {"", "a:b", "a\\b", "a,b", "a\nb", "#a", "\xc3\xbc"})
    EXPECT_FALSE(AddNtlmUser(folder.File("users"), name, "x", {}, &error)) << name;
}

TEST(NtlmUsers, NameFileLineAndCauseOfAnError) {
  const struct {
    const char* text;
    const char* cause;
  } cases[] = {
      {"", "line 1: expected 'holdfast-users:1:"},
      {"alice:secret\n", "line 1: expected 'holdfast-users:1:"},
      {"holdfast-users:1:S-1-5-32\n", "line 1: the machine SID"},
      {"holdfast-users:1:S-1-5-21-1-2-3\nalice:1000:zz::\n", "line 2: the NT hash"},
      {"holdfast-users:1:S-1-5-21-1-2-3\n# comment\nalice:x:00000000000000000000000000000000::\n", "line 3: the RID"},
      {"holdfast-users:1:S-1-5-21-1-2-3\nalice:1000:00000000000000000000000000000000:Q:\n", "line 2: unknown flags"},
      {"holdfast-users:1:S-1-5-21-1-2-3\nalice:1000:00000000000000000000000000000000::S-1\n", "line 2: the group"},
      {"holdfast-users:1:S-1-5-21-1-2-3\nalice:1000:00000000000000000000000000000000\n", "line 2: expected name:rid"},
      {"holdfast-users:1:S-1-5-21-1-2-3\na:1000:00000000000000000000000000000000::\nA:1001:00000000000000000000000000000000::\n", "line 3: the user A appears twice"},
      {"holdfast-users:1:S-1-5-21-1-2-3\na:1000:00000000000000000000000000000000::\nb:1000:00000000000000000000000000000000::\n", "line 3: the RID of b"},
  };
  for (const auto& c : cases) {
    std::string error;
    EXPECT_FALSE(NtlmUsers::Parse(c.text, "/etc/users", &error)) << c.text;
    EXPECT_NE(error.find("/etc/users"), std::string::npos) << error;
    EXPECT_NE(error.find(c.cause), std::string::npos) << error;
  }
}

TEST(NtlmUsers, AreNotLoadedFromAnAbsentFile) {
  std::string error;
  EXPECT_FALSE(NtlmUsers::Load("/nonexistent/users", &error));
  EXPECT_EQ(error, "users file /nonexistent/users: No such file or directory");
}

}  // namespace
}  // namespace holdfast

// [MS-DFSC] 2.2.2 and 2.2.3: the inputs of FSCTL_DFS_GET_REFERRALS and FSCTL_DFS_GET_REFERRALS_EX.
#pragma once

#include <string>

#include "protocol/wire/codec.h"

namespace holdfast::smb2 {

// 2.2.2
struct DfsReferralRequest {
  std::uint16_t max_referral_level = 0;
  std::u16string request_file_name{};  // as sent, its terminating null included

  static void Fields(auto& m, auto& c) {
    c.Field(m.max_referral_level, "max_referral_level");
    c.Rest(m.request_file_name, "request_file_name");
  }
};

// 2.2.3
struct DfsReferralExRequest {
  static constexpr std::uint16_t kSiteName = 0x0001;

  std::uint16_t max_referral_level = 0;
  std::uint16_t request_flags = 0;
  std::uint32_t request_data_length = 0;  // bytes behind this field
  std::u16string request_file_name{};
  std::u16string site_name{};  // with kSiteName

  static void Fields(auto& m, auto& c) {
    c.Field(m.max_referral_level, "max_referral_level");
    c.Field(m.request_flags, "request_flags");
    c.Field(m.request_data_length, "request_data_length");
    c.Length16(m.request_file_name, "request_file_name_length");
    c.Inline(m.request_file_name, "request_file_name");
    if (m.request_flags & kSiteName) {
      c.Length16(m.site_name, "site_name_length");
      c.Inline(m.site_name, "site_name");
    }
  }
};

}  // namespace holdfast::smb2

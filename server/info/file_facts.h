// [MS-FSCC] 2.4: the classes that show facts of an open file.
#pragma once

#include "protocol/fscc/file_information.h"
#include "server/info/info_class.h"

namespace holdfast::info {

// The name stays empty, [MS-SMB2] 3.3.5.20.1, and has the room that the least buffer of [MS-FSA] 2.1.5.12.3 gives it:
// the client of Linux refuses an answer that ends with the length of the name.
struct AllWithoutName {
  fscc::FileAllInformation all;
  std::uint32_t no_name = 0;
  static void Fields(auto& m, auto& f) { f(m.all), f(m.no_name); }
};

fscc::FileBasicInformation Basic(const FileFacts& facts, const InfoQuery& query);
fscc::FileStandardInformation Standard(const FileFacts& facts, const InfoQuery& query);
fscc::FileInternalInformation Internal(const FileFacts& facts, const InfoQuery& query);
fscc::FileEaInformation Ea(const FileFacts& facts, const InfoQuery& query);
fscc::FileAccessInformation Access(const FileFacts& facts, const InfoQuery& query);
fscc::FilePositionInformation Position(const FileFacts& facts, const InfoQuery& query);
fscc::FileModeInformation Mode(const FileFacts& facts, const InfoQuery& query);
fscc::FileAlignmentInformation Alignment(const FileFacts& facts, const InfoQuery& query);
AllWithoutName All(const FileFacts& facts, const InfoQuery& query);
fscc::FileCompressionInformation Compression(const FileFacts& facts, const InfoQuery& query);
fscc::FileNetworkOpenInformation NetworkOpen(const FileFacts& facts, const InfoQuery& query);
fscc::FileAttributeTagInformation AttributeTag(const FileFacts& facts, const InfoQuery& query);
fscc::FileIdInformation Id(const FileFacts& facts, const InfoQuery& query);

}  // namespace holdfast::info

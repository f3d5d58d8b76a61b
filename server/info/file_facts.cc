#include "server/info/file_facts.h"

#include "server/info/file_identity.h"

namespace holdfast::info {

fscc::FileBasicInformation Basic(const FileFacts& facts, const InfoQuery&) {
  return {.creation_time = facts.creation_time,
          .last_access_time = facts.last_access_time,
          .last_write_time = facts.last_write_time,
          .change_time = facts.change_time,
          .file_attributes = facts.file_attributes};
}

fscc::FileStandardInformation Standard(const FileFacts& facts, const InfoQuery&) {
  return {.allocation_size = facts.allocation_size,
          .end_of_file = facts.end_of_file,
          .number_of_links = facts.number_of_links,
          .delete_pending = facts.delete_pending,
          .directory = facts.directory};
}

fscc::FileInternalInformation Internal(const FileFacts& facts, const InfoQuery&) {
  return {.index_number = facts.number};
}

fscc::FileEaInformation Ea(const FileFacts& facts, const InfoQuery&) { return {.ea_size = facts.ea_size}; }

fscc::FileAccessInformation Access(const FileFacts& facts, const InfoQuery&) {
  return {.access_flags = facts.granted_access};
}

fscc::FilePositionInformation Position(const FileFacts& facts, const InfoQuery&) {
  return {.current_byte_offset = facts.current_byte_offset};
}

fscc::FileModeInformation Mode(const FileFacts& facts, const InfoQuery&) { return {.mode = facts.mode}; }

fscc::FileAlignmentInformation Alignment(const FileFacts&, const InfoQuery&) { return {}; }

AllWithoutName All(const FileFacts& facts, const InfoQuery& query) {
  return {.all = {.basic = Basic(facts, query),
                  .standard = Standard(facts, query),
                  .internal = Internal(facts, query),
                  .ea = Ea(facts, query),
                  .access = Access(facts, query),
                  .position = Position(facts, query),
                  .mode = Mode(facts, query),
                  .alignment = Alignment(facts, query),
                  .name = {}}};
}

// Nothing is compressed, whatever the store below does.
fscc::FileCompressionInformation Compression(const FileFacts& facts, const InfoQuery&) {
  fscc::FileCompressionInformation compression;
  compression.compressed_file_size = facts.end_of_file;
  return compression;
}

fscc::FileNetworkOpenInformation NetworkOpen(const FileFacts& facts, const InfoQuery&) {
  return {.creation_time = facts.creation_time,
          .last_access_time = facts.last_access_time,
          .last_write_time = facts.last_write_time,
          .change_time = facts.change_time,
          .allocation_size = facts.allocation_size,
          .end_of_file = facts.end_of_file,
          .file_attributes = facts.file_attributes};
}

fscc::FileAttributeTagInformation AttributeTag(const FileFacts& facts, const InfoQuery&) {
  return {.file_attributes = facts.file_attributes, .reparse_tag = facts.reparse_tag};
}

fscc::FileIdInformation Id(const FileFacts& facts, const InfoQuery& query) {
  return {.volume_serial_number = VolumeSerialNumber(query.files().volume().facts()),
          .file_id = FileId128(facts.number)};
}

}  // namespace holdfast::info

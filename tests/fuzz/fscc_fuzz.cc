// Information classes that clients send, chosen by the first byte: decoded, and written again where that is defined.
#include "protocol/base/check.h"
#include "protocol/fscc/directory_information.h"
#include "protocol/fscc/extended_attributes.h"
#include "protocol/fscc/file_information.h"
#include "protocol/fscc/reparse.h"

namespace {

using namespace holdfast::fscc;

template <class T>
void RoundTrip(holdfast::ByteView bytes) {
  const auto first = Decode<T>(bytes);
  if (!first.ok()) return;
  const holdfast::Bytes again = Encode(*first);
  HOLDFAST_CHECK(again.size() <= bytes.size());
  HOLDFAST_CHECK(Decode<T>(again).ok());
}

// Every class that SET_INFO takes (a link has the form of a rename), and the longest of those that QUERY_INFO answers.
void Classes(holdfast::ByteView bytes) {
  RoundTrip<FileBasicInformation>(bytes);
  RoundTrip<FileRenameInformation>(bytes);
  RoundTrip<FileRenameInformationEx>(bytes);
  RoundTrip<FileDispositionInformation>(bytes);
  RoundTrip<FileDispositionInformationEx>(bytes);
  RoundTrip<FilePositionInformation>(bytes);
  RoundTrip<FileModeInformation>(bytes);
  RoundTrip<FileAllocationInformation>(bytes);
  RoundTrip<FileEndOfFileInformation>(bytes);
  RoundTrip<FileValidDataLengthInformation>(bytes);
  RoundTrip<FileShortNameInformation>(bytes);
  RoundTrip<FilePipeInformation>(bytes);
  RoundTrip<FileAllInformation>(bytes);
}

void Attributes(holdfast::ByteView bytes) {
  (void)DecodeEaNames(bytes);
  const auto first = DecodeEaList(bytes);
  if (!first.ok() || first->empty()) return;
  const auto second = DecodeEaList(EncodeEaList(*first, 1u << 20).data);
  HOLDFAST_CHECK(second.ok() && *second == *first);
}

void Reparse(holdfast::ByteView bytes) {
  (void)ReparsePoint::ParseDelete(bytes);
  const auto point = ReparsePoint::Parse(bytes);
  if (!point.ok()) return;
  HOLDFAST_CHECK(ReparsePoint::Parse(point->Encode()).value() == *point);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const holdfast::ByteView bytes(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      Classes(bytes);
      break;
    case 1:
      Attributes(bytes);
      break;
    case 2:
      Reparse(bytes);
      break;
    case 3:
      (void)DecodeStreams(bytes);
      break;
    default:
      for (const auto c : {FileInformationClass::kIdBothDirectory, FileInformationClass::kNames,
                           FileInformationClass::kIdExtdDirectory,
                           FileInformationClass::kId64ExtdDirectory, FileInformationClass::kId64ExtdBothDirectory,
                           FileInformationClass::kIdAllExtdDirectory,
                           FileInformationClass::kIdAllExtdBothDirectory})
        (void)DecodeDirectory(c, bytes);
  }
  return 0;
}

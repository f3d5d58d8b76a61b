// Errors are values: a Result carries either a T or the NTSTATUS that a client would be told.
#pragma once

#include <utility>
#include <variant>

#include "protocol/base/check.h"
#include "protocol/erref/ntstatus.h"

namespace holdfast {

// [MS-ERREF] 2.3. `Result<void>` is spelled `NtStatus`.
template <class T>
class [[nodiscard]] Result {
 public:
  // An error; success statuses that carry no value (STATUS_SUCCESS) are a mistake of ours.
  Result(NtStatus status) : value_(status) { HOLDFAST_CHECK(status != NtStatus::kSuccess); }  // NOLINT
  Result(T value) : value_(std::move(value)) {}                                               // NOLINT

  bool ok() const { return value_.index() == 1; }
  explicit operator bool() const { return ok(); }
  NtStatus status() const { return ok() ? NtStatus::kSuccess : std::get<0>(value_); }
  T& value() & { HOLDFAST_CHECK(ok()); return std::get<1>(value_); }
  const T& value() const& { HOLDFAST_CHECK(ok()); return std::get<1>(value_); }
  T&& value() && { HOLDFAST_CHECK(ok()); return std::get<1>(std::move(value_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<NtStatus, T> value_;
};

}  // namespace holdfast

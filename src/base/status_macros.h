#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <utility>

// The two control-flow macros of the project; there are no others.

#define BRUME_CONCAT_INNER(a, b) a##b
#define BRUME_CONCAT(a, b) BRUME_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expr` (absl::Status) is an error.
#define RETURN_IF_ERROR(expr)                                       \
  do {                                                              \
    if (absl::Status status_macro_ = (expr); !status_macro_.ok()) { \
      return status_macro_;                                         \
    }                                                               \
  } while (false)

// Evaluates `expr` (absl::StatusOr<T>); returns its error or assigns its value
// to `lhs`, which may be a declaration.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(BRUME_CONCAT(status_or_, __LINE__), lhs, expr)

#define ASSIGN_OR_RETURN_IMPL(var, lhs, expr)    \
  auto var = (expr);                             \
  if (!var.ok()) return std::move(var).status(); \
  lhs = *std::move(var)

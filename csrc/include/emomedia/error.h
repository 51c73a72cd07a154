// Errors of the core: a cause, and the four things a user needs to know.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace emomedia {

// One value per class in emomedia/errors.py that the core can raise.
enum class Cause { description, not_found, media, unsupported, stalled, output, engine, cancelled, device };

// "subject: expected …, found …; remedy", also kept in its parts.
class Error : public std::runtime_error {
 public:
  Error(Cause cause, std::string subject, std::string expected, std::string found, std::string remedy)
      : std::runtime_error(subject + ": expected " + expected + ", found " + found + "; " + remedy),
        cause_(cause),
        subject_(std::move(subject)),
        expected_(std::move(expected)),
        found_(std::move(found)),
        remedy_(std::move(remedy)) {}

  Cause cause() const noexcept { return cause_; }
  const std::string& subject() const noexcept { return subject_; }
  const std::string& expected() const noexcept { return expected_; }
  const std::string& found() const noexcept { return found_; }
  const std::string& remedy() const noexcept { return remedy_; }

 private:
  Cause cause_;
  std::string subject_, expected_, found_, remedy_;
};

}  // namespace emomedia

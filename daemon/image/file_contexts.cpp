// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "image/file_contexts.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "image/literal_index.hpp"
#include "image/regex_form.hpp"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <sstream>
#include <utility>
#include <vector>

namespace cfs::image {
namespace {

/// A policy is hostile input until the image's digest is checked: bounds backtracking.
constexpr std::uint32_t kMatchLimit = 200'000;
/// A shorter text is in nearly every path.
constexpr std::size_t kMinNeedle = 3;
constexpr std::string_view kTypes = "-bcdlps";

struct Deleter {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct Spec {
    std::string expression;
    char type = 0;  ///< 0: any
    std::string label;
    bool labelled = true;  ///< false: <<none>>
    RegexForm::Rest rest = RegexForm::Rest::Regex;
    std::string prefix;
    std::unique_ptr<pcre2_code, Deleter> code;
    bool tried = false;
};

std::string message_of(int error) {
    std::array<unsigned char, 128> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

[[noreturn]] void bad_line(std::string_view name, std::size_t line, const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "SELinux policy file '" + std::string(name) + "', line " + std::to_string(line) +
                    ": " + what,
                "Repair the policy in the image.");
}

/// Subject and expression both end in the type's letter, as composefs-rs does it: an expression
/// with an anchor of its own must see the same end of text.
std::unique_ptr<pcre2_code, Deleter> compile(const Spec& spec) {
    const std::string text =
        "^(" + spec.expression + ")" + (spec.type == 0 ? '.' : spec.type) + "$";
    int error = 0;
    PCRE2_SIZE where = 0;
    std::unique_ptr<pcre2_code, Deleter> code(
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()),
                      text.size(),
                      PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_UTF_CHECK,
                      &error,
                      &where,
                      nullptr));
    if (!code) {
        throw Error(ErrorCode::BadFormat,
                    "expression '" + printable(spec.expression) + "' is wrong at byte " +
                        std::to_string(where > 2 ? where - 2 : 0) + ": " + message_of(error));
    }
    return code;
}

}  // namespace

class FileContexts::Impl {
 public:
    Impl()
        : match_(pcre2_match_data_create(1, nullptr)),
          context_(pcre2_match_context_create(nullptr)) {
        if (!match_ || !context_) throw std::bad_alloc();
        pcre2_set_match_limit(context_.get(), kMatchLimit);
    }

    void add(std::string_view text, std::string_view name) {
        std::istringstream lines{std::string(text)};
        std::size_t number = 0;
        for (std::string line; std::getline(lines, line);) {
            ++number;
            std::istringstream words(line);
            std::vector<std::string> fields;
            for (std::string word; words >> word;)
                fields.push_back(word);
            if (fields.empty() || fields[0].starts_with('#')) continue;
            try {
                add_spec(fields);
            } catch (const Error& error) {
                bad_line(name, number, error.what());
            }
        }
    }

    const std::string* lookup(std::string_view path, char type) {
        collect(path, type);
        subject_.clear();
        for (const std::uint32_t index : candidates_) {
            Spec& spec = specs_[index];
            if (matches(spec, path, type)) return spec.labelled ? &spec.label : nullptr;
        }
        return nullptr;
    }

 private:
    void add_spec(const std::vector<std::string>& fields) {
        if (fields.size() < 2 || fields.size() > 3) {
            throw Error(ErrorCode::BadFormat,
                        "found " + std::to_string(fields.size()) +
                            " words, expected EXPRESSION [-TYPE] CONTEXT");
        }
        Spec spec;
        spec.expression = fields[0];
        if (fields.size() == 3) {
            const std::string& type = fields[1];
            if (type.size() != 2 || type[0] != '-' || kTypes.find(type[1]) == kTypes.npos) {
                throw Error(
                    ErrorCode::BadFormat,
                    "type is '" + printable(type) + "', expected one of -b -c -d -p -l -s --");
            }
            spec.type = type[1];
        }
        spec.label = fields.back();
        spec.labelled = spec.label != "<<none>>";
        RegexForm form = regex_form(spec.expression);
        spec.rest = form.rest;
        spec.prefix = std::move(form.prefix);
        if (spec.rest == RegexForm::Rest::Regex) spec.code = compile(spec);
        const bool anchored = form.required.size() < kMinNeedle;
        const auto index = static_cast<std::uint32_t>(specs_.size());
        literals_.add(anchored ? spec.prefix : form.required, anchored, index);
        built_ = false;
        specs_.push_back(std::move(spec));
    }

    /// What may match: the type is right, the needle is there and the prefix too.
    void collect(std::string_view path, char type) {
        if (!std::exchange(built_, true)) {
            literals_.build();
            search_ = {};
        }
        literals_.find(path, search_);
        candidates_.clear();
        for (const std::uint32_t index : search_.ids) {
            const Spec& spec = specs_[index];
            const bool right_type = spec.type == 0 || spec.type == type;
            if (right_type && path.starts_with(spec.prefix)) candidates_.push_back(index);
        }
        std::sort(candidates_.begin(), candidates_.end(), std::greater<>());
        candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
    }

    bool matches(Spec& spec, std::string_view path, char type) {
        switch (spec.rest) {
            case RegexForm::Rest::Nothing:
                return path.size() == spec.prefix.size();
            case RegexForm::Rest::Subtree:
                return path.size() == spec.prefix.size() || path[spec.prefix.size()] == '/';
            case RegexForm::Rest::Anything:
                return true;
            case RegexForm::Rest::Regex:
                break;
        }
        if (subject_.empty()) subject_.append(path) += type;
        return run(spec);
    }

    bool run(Spec& spec) {
        // Without JIT (not built in, or executable memory is forbidden) the interpreter matches.
        if (!std::exchange(spec.tried, true))
            pcre2_jit_compile(spec.code.get(), PCRE2_JIT_COMPLETE);
        const int result = pcre2_match(spec.code.get(),
                                       reinterpret_cast<PCRE2_SPTR>(subject_.data()),
                                       subject_.size(),
                                       0,
                                       0,
                                       match_.get(),
                                       context_.get());
        if (result >= 0) return true;
        if (result == PCRE2_ERROR_NOMATCH) return false;
        throw Error(ErrorCode::BadFormat,
                    "SELinux expression '" + printable(spec.expression) + "' fails on '" +
                        printable(subject_) + "': " + message_of(result),
                    "Repair the policy in the image.");
    }

    std::vector<Spec> specs_;
    LiteralIndex literals_;
    bool built_ = false;
    LiteralIndex::Search search_;
    std::unique_ptr<pcre2_match_data, Deleter> match_;
    std::unique_ptr<pcre2_match_context, Deleter> context_;
    std::vector<std::uint32_t> candidates_;  ///< of one lookup
    std::string subject_;                    ///< of one lookup, made when first needed
};

FileContexts::FileContexts() : impl_(std::make_unique<Impl>()) {}
FileContexts::FileContexts(FileContexts&&) noexcept = default;
FileContexts& FileContexts::operator=(FileContexts&&) noexcept = default;
FileContexts::~FileContexts() = default;

void FileContexts::add(std::string_view text, std::string_view name) {
    impl_->add(text, name);
}

const std::string* FileContexts::lookup(std::string_view path, char type) const {
    return impl_->lookup(path, type);
}

}  // namespace cfs::image

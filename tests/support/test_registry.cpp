// SPDX-License-Identifier: Apache-2.0
#include "support/test_registry.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "crypto/hasher.hpp"

#include <boost/json.hpp>

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>

namespace cfs::test {
namespace {

constexpr std::size_t kMaxHead = 65536;
constexpr std::size_t kPiece = 65536;

/// A response's true content: text or an open file.
struct Content {
    std::string type = "application/octet-stream";
    std::string digest;  ///< the true one, for Docker-Content-Digest
    std::string text;
    std::shared_ptr<UniqueFd> file;
    std::uint64_t size = 0;

    [[nodiscard]] std::string piece(std::uint64_t offset, std::size_t count) const {
        if (!file) return text.substr(offset, count);
        std::string out(count, '\0');
        pread_exact(file->get(), {reinterpret_cast<std::uint8_t*>(out.data()), count}, offset);
        return out;
    }
};

Content text_content(std::string text, std::string type) {
    Content out{std::move(type), "", std::move(text), nullptr, 0};
    out.size = out.text.size();
    return out;
}

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string digest_of(const std::string& bytes) {
    return to_oci(hash(HashAlgorithm::Sha256, as_bytes(bytes)));
}

std::string lower(std::string text) {
    for (char& c : text)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

/// Manifests name their type themselves, or their members do.
std::string manifest_type(const std::string& document) {
    const boost::json::value value = boost::json::parse(document);
    if (const auto* type = value.as_object().if_contains("mediaType")) {
        return std::string(type->as_string());
    }
    return value.as_object().contains("manifests") ? "application/vnd.oci.image.index.v1+json"
                                                   : "application/vnd.oci.image.manifest.v1+json";
}

/// The request's head up to the empty line; nullopt when the peer left or speaks TLS.
std::optional<Request> read_request(Connection& connection) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
        char c = 0;
        if (head.size() > kMaxHead || connection.read(&c, 1) == 0) return std::nullopt;
        if (head.empty() && c == '\x16') return std::nullopt;
        head.push_back(c);
    }
    std::istringstream lines(head);
    Request request;
    lines >> request.method >> request.target;
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(": ");
        if (colon == std::string::npos) continue;
        request.headers[lower(line.substr(0, colon))] =
            line.substr(colon + 2, line.find('\r') - colon - 2);
    }
    return request;
}

/// What is sent, after the fault had its say.
struct Answer {
    int status = 200;
    Content content;
    std::uint64_t start = 0;  ///< first byte of the content that is sent
    std::string content_range;
    std::string digest;  ///< of the true content, whatever is sent
    std::string challenge;
};

}  // namespace

struct TestRegistry::State {
    mutable std::mutex mutex;
    std::map<std::string, Content> documents;    ///< by target
    std::map<std::string, std::string> blobs;    ///< by digest
    std::map<std::string, std::string> layouts;  ///< name -> directory
    std::vector<Fault> faults;
    std::vector<Request> requests;
    std::atomic<std::uint64_t> sent = 0;
    std::unique_ptr<Door> door;
    std::string origin;  ///< "http://127.0.0.1:PORT"

    void serve(Connection& connection);
    Fault record(const Request& request);
    std::optional<Content> find(const std::string& target) const;
    std::optional<Content> find_blob(const std::string& digest) const;
    static std::optional<Content> layout_manifest(const std::string& dir, const std::string& which);
    static std::optional<Content> layout_file(const std::string& dir, const std::string& digest);
    Answer answer(const Request& request, const Fault& fault) const;
    bool send(Connection& connection, const Request& request, const Fault& fault);
    bool send_body(Connection& connection, const Answer& answer, const Fault& fault);
};

/// Notes the request and takes the first fault that strikes it.
Fault TestRegistry::State::record(const Request& request) {
    const std::scoped_lock lock(mutex);
    requests.push_back(request);
    for (Fault& fault : faults) {
        if (request.target.find(fault.path) == std::string::npos || fault.times == 0) continue;
        if (fault.skip > 0) {
            --fault.skip;
            continue;
        }
        if (fault.times != ~0U) --fault.times;
        return fault;
    }
    return {};
}

std::optional<Content> TestRegistry::State::layout_file(const std::string& dir,
                                                        const std::string& digest) {
    std::string path = digest;
    std::replace(path.begin(), path.end(), ':', '/');
    const std::string full = dir + "/blobs/" + path;
    UniqueFd fd(::open(full.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    Content out;
    out.size = file_size(fd.get());
    out.file = std::make_shared<UniqueFd>(std::move(fd));
    return out;
}

std::optional<Content> TestRegistry::State::layout_manifest(const std::string& dir,
                                                            const std::string& which) {
    std::string digest = which;
    if (which.find(':') == std::string::npos) {
        const auto index = boost::json::parse(slurp(dir + "/index.json"));
        for (const auto& entry : index.at("manifests").as_array()) {
            const auto* notes = entry.as_object().if_contains("annotations");
            const auto* tag =
                notes ? notes->as_object().if_contains("org.opencontainers.image.ref.name")
                      : nullptr;
            if ((tag ? std::string(tag->as_string()) : "latest") == which) {
                digest = std::string(entry.at("digest").as_string());
            }
        }
    }
    const auto file = layout_file(dir, digest);
    if (!file) return std::nullopt;
    const std::string document = file->piece(0, file->size);
    Content out = text_content(document, manifest_type(document));
    out.digest = digest;
    return out;
}

std::optional<Content> TestRegistry::State::find_blob(const std::string& digest) const {
    if (const auto found = blobs.find(digest); found != blobs.end()) {
        return text_content(found->second, "application/octet-stream");
    }
    for (const auto& [name, dir] : layouts) {
        if (auto content = layout_file(dir, digest)) return content;
    }
    return std::nullopt;
}

std::optional<Content> TestRegistry::State::find(const std::string& target) const {
    const std::scoped_lock lock(mutex);
    if (target == "/v2/") return text_content("{}", "application/json");
    if (const auto found = documents.find(target); found != documents.end()) return found->second;
    if (const auto at = target.find("/blobs/"); at != std::string::npos) {
        return find_blob(target.substr(at + 7));
    }
    const auto at = target.find("/manifests/");
    if (at == std::string::npos || at < 4) return std::nullopt;
    const auto found = layouts.find(target.substr(4, at - 4));
    if (found == layouts.end()) return std::nullopt;
    return layout_manifest(found->second, target.substr(at + 11));
}

Answer TestRegistry::State::answer(const Request& request, const Fault& fault) const {
    Answer out;
    const auto key = request.headers.find("authorization");
    const auto reply =
        door ? door->check(request.target, key == request.headers.end() ? "" : key->second, origin)
             : std::nullopt;
    if (reply) {
        out.status = reply->status;
        out.challenge = reply->challenge;
        out.content = text_content(reply->body, "application/json");
    } else if (auto content = find(request.target)) {
        out.content = std::move(*content);
        out.digest = out.content.digest;
    } else {
        out.status = 404;
        out.content = text_content(R"({"errors":[{"code":"NOT_FOUND","message":"nothing here"}]})",
                                   "application/json");
    }
    const auto range = request.headers.find("range");
    if (out.status == 200 && range != request.headers.end() && !fault.ignore_range) {
        out.start = std::stoull(range->second.substr(std::string("bytes=").size()));
        out.status = out.start < out.content.size ? 206 : 416;
        out.content_range = "bytes " + std::to_string(out.start) + "-" +
                            std::to_string(out.content.size - 1) + "/" +
                            std::to_string(out.content.size);
    }
    if (fault.status != 0) out.status = fault.status;
    if (fault.status >= 300) out.content = text_content("", "text/plain");
    if (fault.status >= 300) out.start = 0;
    if (fault.body) out.content = text_content(*fault.body, out.content.type);
    if (!fault.content_type.empty()) out.content.type = fault.content_type;
    if (!fault.content_range.empty()) out.content_range = fault.content_range;
    out.start = std::min(out.start, out.content.size);
    return out;
}

/// False: the connection ends here.
bool TestRegistry::State::send_body(Connection& connection,
                                    const Answer& answer,
                                    const Fault& fault) {
    const std::uint64_t total = answer.content.size - answer.start;
    const std::uint64_t end =
        std::min({total, fault.close_after.value_or(total), fault.stall_after.value_or(total)});
    const std::size_t step = fault.drip_bytes != 0 ? fault.drip_bytes : kPiece;
    for (std::uint64_t at = 0; at < end;) {
        const std::uint64_t offset = answer.start + at;
        std::string piece = answer.content.piece(
            offset, static_cast<std::size_t>(std::min<std::uint64_t>(step, end - at)));
        if (fault.flip_byte && *fault.flip_byte >= offset &&
            *fault.flip_byte - offset < piece.size()) {
            char& c = piece[*fault.flip_byte - offset];
            c = static_cast<char>(c ^ 1);
        }
        sent += piece.size();  // before somebody has them and asks
        if (!connection.write(piece)) {
            sent -= piece.size();
            return false;
        }
        at += piece.size();
        if (fault.drip_bytes != 0) std::this_thread::sleep_for(fault.drip_delay);
    }
    if (fault.stall_after) connection.wait_for_peer_to_leave();
    return !fault.stall_after && !fault.close_after && !fault.no_length;
}

bool TestRegistry::State::send(Connection& connection, const Request& request, const Fault& fault) {
    const Answer out = answer(request, fault);
    std::string head = "HTTP/1.1 " + std::to_string(out.status) + " Answer\r\n";
    head += "Content-Type: " + out.content.type + "\r\n";
    if (!fault.no_length) {
        const std::uint64_t length = out.content.size - out.start;
        head +=
            "Content-Length: " + std::to_string(fault.declared_length.value_or(length)) + "\r\n";
    }
    if (fault.no_length) head += "Connection: close\r\n";
    if (!out.challenge.empty()) head += "WWW-Authenticate: " + out.challenge + "\r\n";
    head += fault.headers;
    if (!out.digest.empty()) head += "Docker-Content-Digest: " + out.digest + "\r\n";
    if (!fault.location.empty()) head += "Location: " + fault.location + "\r\n";
    if (out.status == 206) head += "Content-Range: " + out.content_range + "\r\n";
    if (!connection.write(head + "\r\n")) return false;
    return request.method == "HEAD" || send_body(connection, out, fault);
}

void TestRegistry::State::serve(Connection& connection) {
    while (const auto request = read_request(connection)) {
        const Fault fault = record(*request);
        if (!send(connection, *request, fault)) return;
    }
}

TestRegistry::TestRegistry(const std::optional<TlsFiles>& tls) : state_(std::make_unique<State>()) {
    State* state = state_.get();
    server_ = std::make_unique<TestServer>([state](Connection& peer) { state->serve(peer); }, tls);
    state_->origin = (tls ? "https://" : "http://") + host();
}

TestRegistry::~TestRegistry() = default;

std::uint16_t TestRegistry::port() const {
    return server_->port();
}

std::string TestRegistry::host() const {
    return "127.0.0.1:" + std::to_string(port());
}

std::string TestRegistry::reference(const std::string& name, const std::string& tag) const {
    return "docker://" + host() + "/" + name + ":" + tag;
}

std::string TestRegistry::add_blob(std::string bytes) {
    const std::string digest = digest_of(bytes);
    const std::scoped_lock lock(state_->mutex);
    state_->blobs[digest] = std::move(bytes);
    return digest;
}

std::string TestRegistry::add_manifest(const std::string& name,
                                       const std::string& tag,
                                       std::string bytes,
                                       const std::string& media_type) {
    const std::string digest = digest_of(bytes);
    Content content = text_content(std::move(bytes), media_type);
    content.digest = digest;
    const std::string start = "/v2/" + name + "/manifests/";
    const std::scoped_lock lock(state_->mutex);
    state_->documents[start + digest] = content;
    state_->documents[start + tag] = content;
    return digest;
}

void TestRegistry::add_document(const std::string& path,
                                std::string bytes,
                                const std::string& media_type) {
    const std::scoped_lock lock(state_->mutex);
    state_->documents[path] = text_content(std::move(bytes), media_type);
}

void TestRegistry::serve_layout(const std::string& dir, const std::string& name) {
    const std::scoped_lock lock(state_->mutex);
    state_->layouts[name] = dir;
}

void TestRegistry::add_fault(Fault fault) {
    const std::scoped_lock lock(state_->mutex);
    state_->faults.push_back(std::move(fault));
}

void TestRegistry::clear_faults() {
    const std::scoped_lock lock(state_->mutex);
    state_->faults.clear();
}

void TestRegistry::set_guard(Guard guard) {
    state_->door = std::make_unique<Door>(std::move(guard));
}

Door& TestRegistry::door() {
    return *state_->door;
}

std::vector<Request> TestRegistry::requests() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->requests;
}

std::uint64_t TestRegistry::body_bytes_sent() const {
    return state_->sent;
}

void TestRegistry::forget_requests() {
    const std::scoped_lock lock(state_->mutex);
    state_->requests.clear();
    state_->sent = 0;
}

}  // namespace cfs::test

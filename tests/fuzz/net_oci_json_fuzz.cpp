// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the document: i index, m manifest, c config, l oci-layout, k kind, e error
// body. Whatever is accepted must keep the limits that the header promises.
#include "base/error.hpp"
#include "net/http_headers.hpp"
#include "net/oci_types.hpp"

#include <cstdlib>

namespace {

using namespace cfs;

void expect(bool fine) {
    if (!fine) std::abort();
}

void check_descriptors(const std::vector<net::Descriptor>& list, std::size_t limit) {
    expect(list.size() <= limit);
    for (const net::Descriptor& one : list) {
        expect(one.size <= net::kMaxBlobBytes && !one.media_type.empty());
        expect(digest_from_oci(to_oci(one.digest)) == one.digest);
    }
}

void parse(std::uint8_t which, ByteView document) {
    switch (which) {
        case 'i':
            check_descriptors(net::parse_index(document).manifests, net::kMaxIndexEntries);
            break;
        case 'm':
            check_descriptors(net::parse_manifest(document).layers, net::kMaxLayers);
            break;
        case 'c':
            expect(net::parse_config(document).diff_ids.size() <= net::kMaxLayers);
            break;
        case 'l':
            net::check_layout_version(document);
            break;
        case 'k':
            (void)net::document_kind(document, net::kOciManifest);
            break;
        case 'e':
            (void)net::describe_error_body(document);
            break;
        default:
            if (const auto range = net::parse_content_range(as_text(document))) {
                expect(range->first <= range->last);
            }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    try {
        parse(data[0], ByteView(data + 1, size - 1));
    } catch (const Error& e) {
        expect(e.code() == ErrorCode::BadFormat || e.code() == ErrorCode::Unsupported);
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "client/report/parts.hpp"

#include <boost/json.hpp>

namespace cfs::client {

std::string report_index(const std::vector<ReportPart>& parts, std::int64_t created) {
    boost::json::array list;
    for (const ReportPart& part : parts) {
        list.push_back(boost::json::object{
            {"name", part.name}, {"bytes", part.text.size()}, {"problem", part.problem}});
    }
    const boost::json::object out = {
        {"schema", 1}, {"created", created}, {"parts", std::move(list)}};
    return boost::json::serialize(out);
}

}  // namespace cfs::client

// SPDX-License-Identifier: Apache-2.0
#include "service_site.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>

namespace cfs::test {

void ServiceSite::start(service::Jobs::Timing timing) {
    service::Service::Config config;
    config.bus = bus.address();
    config.facts = {"1.2.3", finalize_by_default};
    config.callers = callers;
    config.timing = timing;
    config.inhibitors = inhibitors;
    config.automatic = automatic;
    config.bus_patience = bus_patience;
    service::Service::Events events;
    ready_.emplace().open();
    events.ready = [this] { ready_->pass(); };
    events.lost = [this](const Error& why) {
        log::error(why.what());
        lost_ = true;
    };
    service_ = std::make_unique<service::Service>(io_, engine, config, events);
    thread_ = std::thread([this] { run(); });
    if (!ready_->wait_until_reached())
        throw Error(ErrorCode::Internal, "the service did not start");
}

void ServiceSite::run() {
    io_.restart();  // it may have run for one before
    const auto work = boost::asio::make_work_guard(io_);
    service_->start();
    io_.run();
    service_.reset();
}

void ServiceSite::stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] { service_->shut_down([this] { io_.stop(); }); });
    thread_.join();
}

}  // namespace cfs::test

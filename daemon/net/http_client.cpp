// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include "base/error.hpp"
#include "net/exchange.hpp"
#include "net/url.hpp"

#include <curl/curl.h>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace cfs::net {
namespace {

struct CleanUpMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// A limited rate is kept by reading no further ahead than this.
constexpr std::size_t kLimitedQueue = std::size_t{64} << 10;
constexpr int kPollMilliseconds = 1000;  // a lost wake-up would cost this much, never hang

void init_curl() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) throw Error(ErrorCode::Internal, "setting up libcurl");
}

}  // namespace

/// The transfer thread. Other threads only append to `orders_` and wake it; all libcurl handles
/// belong to the thread.
class HttpClient::Loop {
 public:
    explicit Loop(NetOptions options) : options_(std::move(options)) {
        init_curl();
        multi_.reset(curl_multi_init());
        if (!multi_) throw Error(ErrorCode::Internal, "setting up libcurl");
        (void)curl_multi_setopt(
            multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options_.connections));
        thread_ = std::thread([this]() noexcept { run(); });
    }

    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    ~Loop() {
        order({OrderKind::Quit, nullptr, {}});
        thread_.join();
    }

    void start(std::shared_ptr<Transfer> transfer, HttpRequest request) {
        order({OrderKind::Start, std::move(transfer), std::move(request)});
    }

    void resume(std::shared_ptr<Transfer> transfer) {
        order({OrderKind::Resume, std::move(transfer), {}});
    }

    void drop(std::shared_ptr<Transfer> transfer) {
        order({OrderKind::Drop, std::move(transfer), {}});
    }

 private:
    enum class OrderKind { Start, Resume, Drop, Quit };

    struct Order {
        OrderKind kind;
        std::shared_ptr<Transfer> transfer;
        HttpRequest request;
    };

    void order(Order order) {
        {
            const std::scoped_lock lock(mutex_);
            orders_.push_back(std::move(order));
        }
        (void)curl_multi_wakeup(multi_.get());
    }

    void run();
    void obey(Order& order);
    void begin(const Order& order);
    void forget(const Transfer* transfer);
    void collect_finished();

    NetOptions options_;
    std::map<std::string, TlsWitness> witnesses_;  ///< by origin; connections point at them
    std::unique_ptr<CURLM, CleanUpMulti> multi_;
    std::unordered_map<const Transfer*, std::unique_ptr<Exchange>> exchanges_;
    bool quit_ = false;

    std::mutex mutex_;
    std::vector<Order> orders_;  ///< guarded by mutex_

    std::thread thread_;
};

void HttpClient::Loop::run() {
    // Signals are the main thread's business; and OpenSSL's writes may raise SIGPIPE here.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    for (;;) {
        std::vector<Order> orders;
        {
            const std::scoped_lock lock(mutex_);
            orders.swap(orders_);
        }
        for (Order& order : orders)
            obey(order);
        if (quit_) break;
        int running = 0;
        (void)curl_multi_perform(multi_.get(), &running);
        collect_finished();
        (void)curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
    }
    for (const auto& [transfer, exchange] : exchanges_) {
        curl_multi_remove_handle(multi_.get(), exchange->easy());
    }
    exchanges_.clear();
}

void HttpClient::Loop::obey(Order& order) {
    switch (order.kind) {
        case OrderKind::Start:
            begin(order);
            break;
        case OrderKind::Resume:
            if (const auto found = exchanges_.find(order.transfer.get());
                found != exchanges_.end()) {
                (void)curl_easy_pause(found->second->easy(), CURLPAUSE_CONT);
            }
            break;
        case OrderKind::Drop:
            forget(order.transfer.get());
            break;
        case OrderKind::Quit:
            quit_ = true;
            break;
    }
}

void HttpClient::Loop::begin(const Order& order) {
    try {
        const Url url = parse_url(order.request.url);
        TlsWitness& witness = witnesses_[url.host + ':' + url.port];
        auto exchange =
            std::make_unique<Exchange>(order.transfer, order.request, options_, witness);
        if (curl_multi_add_handle(multi_.get(), exchange->easy()) != CURLM_OK) {
            throw Error(ErrorCode::Internal, "starting a transfer");
        }
        exchanges_.emplace(order.transfer.get(), std::move(exchange));
    } catch (const std::exception& e) {
        order.transfer->put_end({FailureKind::Other, e.what(), {}});
    }
}

void HttpClient::Loop::forget(const Transfer* transfer) {
    const auto found = exchanges_.find(transfer);
    if (found == exchanges_.end()) return;
    curl_multi_remove_handle(multi_.get(), found->second->easy());
    exchanges_.erase(found);
}

void HttpClient::Loop::collect_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;
        CURL* easy = message->easy_handle;
        const auto found = std::find_if(exchanges_.begin(), exchanges_.end(), [&](const auto& one) {
            return one.second->easy() == easy;
        });
        if (found == exchanges_.end()) continue;
        found->second->finish(code);
        forget(found->first);
    }
}

HttpClient::HttpClient(const NetOptions& options)
    : options_(options), limiter_(options.rate_limit), loop_(std::make_unique<Loop>(options)) {}

HttpClient::~HttpClient() = default;

HttpOutcome HttpClient::get(const HttpRequest& request,
                            const OnResponse& on_response,
                            const std::stop_token& stop) {
    const auto transfer =
        std::make_shared<Transfer>(options_.rate_limit == 0 ? Transfer::kLimit : kLimitedQueue);
    HttpRequest ready = request;
    if (const Url url = parse_url(request.url); url.scheme == "https") {
        ready.certs = find_host_certs(options_.certs_dirs,
                                      url.host + (url.port.empty() ? "" : ":" + url.port));
        if (!ready.certs.ca_pem.empty() && !options_.ca_file.empty()) {
            ready.certs.ca_pem += read_pem(options_.ca_file);
        }
    }
    loop_->start(transfer, std::move(ready));
    // Dropping one that has finished does nothing, so there is one way out for all.
    const auto drop = [this](const std::shared_ptr<Transfer>* one) { loop_->drop(*one); };
    const std::unique_ptr<const std::shared_ptr<Transfer>, decltype(drop)> guard(&transfer, drop);
    HttpOutcome outcome;
    if (const auto head = transfer->wait_head(stop)) {
        outcome.response = *head;
        Sink* sink = on_response(*head);
        while (const auto chunk = transfer->next_body(stop)) {
            if (transfer->take_resume()) loop_->resume(transfer);
            limiter_.take(chunk->size(), stop);
            if (sink != nullptr) sink->write(*chunk);
        }
    }
    outcome.end = transfer->end();
    return outcome;
}

}  // namespace cfs::net

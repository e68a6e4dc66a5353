// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include "base/error.hpp"
#include "net/url.hpp"

#include <curl/curl.h>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace cfs::net {
namespace {

struct CleanUp {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct CleanUpMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

constexpr long kReceiveBuffer = 256L * 1024;
constexpr int kPollMilliseconds = 1000;  // a lost wake-up would cost this much, never hang

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
        throw Error(ErrorCode::Internal,
                    std::string("setting up a transfer: ") + curl_easy_strerror(code));
    }
}

FailureKind kind_of(CURLcode code) {
    switch (code) {
        case CURLE_OK:
            return FailureKind::None;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
            return FailureKind::Connect;
        case CURLE_SSL_CONNECT_ERROR:
            return FailureKind::NotTls;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
            return FailureKind::Certificate;
        case CURLE_OPERATION_TIMEDOUT:
            return FailureKind::Stalled;
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return FailureKind::Cut;
        default:
            return FailureKind::Other;
    }
}

/// One easy handle and what its callbacks write to. Lives and dies on the transfer thread; its
/// address is known to libcurl, so it never moves.
class Exchange {
 public:
    Exchange(std::shared_ptr<Transfer> transfer,
             const HttpRequest& request,
             const NetOptions& options);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    [[nodiscard]] CURL* easy() const { return easy_.get(); }

    void finish(CURLcode code);

 private:
    void configure(const HttpRequest& request, const NetOptions& options);
    static std::size_t on_header(char* data, std::size_t, std::size_t count, void* self) noexcept;
    static std::size_t on_body(char* data, std::size_t, std::size_t count, void* self) noexcept;

    std::shared_ptr<Transfer> transfer_;
    std::unique_ptr<curl_slist, CleanUp> headers_;
    std::unique_ptr<CURL, CleanUp> easy_;
    std::array<char, CURL_ERROR_SIZE> problem_{};
    HeaderCollector collector_;
    std::string parked_;  ///< what a callback failed with
};

Exchange::Exchange(std::shared_ptr<Transfer> transfer,
                   const HttpRequest& request,
                   const NetOptions& options)
    : transfer_(std::move(transfer)), easy_(curl_easy_init()) {
    if (!easy_) throw Error(ErrorCode::Internal, "setting up a transfer");
    for (const std::string& header : request.headers) {
        curl_slist* list = curl_slist_append(headers_.get(), header.c_str());
        if (list == nullptr) throw std::bad_alloc();
        (void)headers_.release();
        headers_.reset(list);
    }
    configure(request, options);
}

void Exchange::configure(const HttpRequest& request, const NetOptions& options) {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_URL, request.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.low_speed_bytes));
    set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.low_speed_time.count()));
    if (!options.ca_file.empty()) {
        set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
        // The distribution's default directory would still be trusted beside the given file.
        set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    const Url url = parse_url(request.url);
    if (is_listed(options.unverified_registries, url.host, url.port)) {
        set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (request.direct) set(easy, CURLOPT_NOPROXY, "*");
    set(easy, CURLOPT_ERRORBUFFER, problem_.data());
    set(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
    set(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
}

std::size_t Exchange::on_header(char* data,
                                std::size_t /*one*/,
                                std::size_t count,
                                void* self) noexcept {
    auto* exchange = static_cast<Exchange*>(self);
    try {
        if (exchange->collector_.add({data, count})) {
            exchange->transfer_->put_head(exchange->collector_.response());
        }
        return count;
    } catch (const std::exception& e) {
        exchange->parked_ = e.what();
        return 0;
    }
}

std::size_t Exchange::on_body(char* data,
                              std::size_t /*one*/,
                              std::size_t count,
                              void* self) noexcept {
    auto* exchange = static_cast<Exchange*>(self);
    try {
        const bool taken = exchange->transfer_->put_body(as_bytes({data, count}));
        return taken ? count : CURL_WRITEFUNC_PAUSE;
    } catch (const std::exception& e) {
        exchange->parked_ = e.what();
        return 0;
    }
}

void Exchange::finish(CURLcode code) {
    TransferEnd end;
    end.failure = kind_of(code);
    if (code != CURLE_OK) {
        const std::string_view detail = problem_.data();
        end.problem = detail.empty() ? curl_easy_strerror(code) : std::string(detail);
    }
    if (!parked_.empty()) end.problem = parked_;
    char* redirect = nullptr;
    if (curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &redirect) == CURLE_OK &&
        redirect != nullptr) {
        end.redirect_url = redirect;
    }
    transfer_->put_end(std::move(end));
}

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
        auto exchange = std::make_unique<Exchange>(order.transfer, order.request, options_);
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

HttpClient::HttpClient(const NetOptions& options) : loop_(std::make_unique<Loop>(options)) {}

HttpClient::~HttpClient() = default;

HttpOutcome HttpClient::get(const HttpRequest& request,
                            const OnResponse& on_response,
                            const std::stop_token& stop) {
    const auto transfer = std::make_shared<Transfer>();
    loop_->start(transfer, request);
    // Dropping one that has finished does nothing, so there is one way out for all.
    const auto drop = [this](const std::shared_ptr<Transfer>* one) { loop_->drop(*one); };
    const std::unique_ptr<const std::shared_ptr<Transfer>, decltype(drop)> guard(&transfer, drop);
    HttpOutcome outcome;
    if (const auto head = transfer->wait_head(stop)) {
        outcome.response = *head;
        Sink* sink = on_response(*head);
        while (const auto chunk = transfer->next_body(stop)) {
            if (transfer->take_resume()) loop_->resume(transfer);
            if (sink != nullptr) sink->write(*chunk);
        }
    }
    outcome.end = transfer->end();
    return outcome;
}

}  // namespace cfs::net

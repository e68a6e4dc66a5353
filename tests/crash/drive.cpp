// SPDX-License-Identifier: Apache-2.0
// cfs_drive VERB DIR [TAG]: one verb done to the machine in DIR, in a process that may be killed or
// starved meanwhile. Ends with 0, with 1 and "error NAME: message" for an Error, with 2 for
// anything else.
#include "base/error.hpp"
#include "base/log.hpp"
#include "crash_site.hpp"
#include "update/health.hpp"
#include "update/offline.hpp"
#include "update/shutdown.hpp"

#include <exception>
#include <iostream>
#include <string>

namespace {

using namespace cfs;

void drive(const std::string& verb, const std::string& dir, const std::string& tag) {
    const auto settings = test::machine_settings(dir);
    test::RecordingProgress progress;
    if (verb == "install") {
        (void)update::install(test::Site::image(tag), settings, progress, {});
        return;
    }
    const auto engine = update::make_engine(settings);
    update::UpdateOptions options;
    const bool is_image = verb == "update" || verb == "stage" || verb == "tight-update";
    options.image = is_image && !tag.empty() ? test::Site::image(tag) : "";
    options.finalize = verb == "update";
    if (verb == "tight-update") {
        settings::Settings own = settings;
        own.boot.esp_reserve = 0;
        options.finalize = true;
        (void)update::make_engine(own)->update(options, progress, {});
    } else if (verb == "update" || verb == "stage") {
        (void)engine->update(options, progress, {});
    } else if (verb == "shutdown" || verb == "strict-shutdown") {
        settings::Settings own = settings;
        if (verb == "strict-shutdown") own.etc.on_conflict = settings::OnConflict::Stop;
        (void)update::finalize_at_shutdown(own);
    } else if (verb == "downgrade") {
        options.image = test::Site::image(tag);
        options.finalize = options.downgrade = true;
        (void)engine->update(options, progress, {});
    } else if (verb == "prove") {
        (void)update::mark_good(settings);
    } else if (verb == "finalize") {
        (void)engine->finalize(progress, {});
    } else if (verb == "rollback") {
        (void)engine->rollback(progress, {});
    } else if (verb == "collect") {
        (void)engine->collect(false, progress, {});
    } else if (verb == "pin") {
        (void)engine->pin({tag, true}, progress, {});
    } else if (verb == "remove") {
        (void)engine->remove(tag, progress, {});
    } else if (verb == "verify") {
        const auto found = engine->verify({"", true, {}}, progress, {});
        if (!found.sound()) throw Error(ErrorCode::StateCorrupt, found.items.front());
    } else if (verb == "repair") {
        (void)engine->repair({}, progress, {});
    } else if (verb == "restore") {
        (void)engine->restore_etc(tag, progress, {});
    } else if (verb == "reconcile") {
        engine->reconcile();
    } else {
        throw Error(ErrorCode::InvalidArgs, "no verb '" + verb + "'");
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 1 ? argv[1] : "";
    const std::string dir = argc > 2 ? argv[2] : "";
    // What it says is the error alone.
    log::init(log::Level::Off);
    try {
        drive(verb, dir, argc > 3 ? argv[3] : "");
        return 0;
    } catch (const Error& e) {
        std::cerr << "error " << to_string(e.code()) << ": " << e.what() << '\n';
        return 1;
    } catch (const std::exception& e) {
        std::cerr << "exception " << e.what() << '\n';
        return 2;
    }
}

// SPDX-License-Identifier: Apache-2.0
// cfs_prepare_machines OUT: machines in the states that crash and fault tests begin with.
//   empty       nothing is installed
//   installed   v1 runs; its /etc was edited
//   staged      the same with v2 staged
//   updated     v2 runs, v1 is kept
//   surplus     v3 runs, v2 and v1 are kept: one too many
//   returned    v1 runs again after a rollback from v2, whose /etc was edited
//   returning   v2-conflict runs, v2 and v1 are kept
//   tried       v1 runs once more, behind v2 in the loader's order, and is not proven yet
#include "crash_site.hpp"

#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>

namespace {

using namespace cfs;
using test::Site;

void edit_etc(Site& site) {
    const std::string etc =
        "sysroot/state/deploy/" + site.engine().status().booted->digest + "/etc/";
    site.dir.write(etc + "edited.conf", "local edit\n");
    site.dir.write(etc + "conf.d/mine", "local file\n", 0600);
}

/// Below the /etc that runs, once the next version is armed.
void write_late(Site& site, const std::string& path) {
    const std::string etc =
        "sysroot/state/deploy/" + site.engine().status().booted->digest + "/etc/";
    site.dir.write(etc + path, "written after the update\n");
}

void boot_into(Site& site, const std::string& tag) {
    (void)site.update(tag);
    (void)site.reboot();
    site.bless();
}

void save(const std::string& out,
          const std::string& name,
          const std::function<void(Site&)>& steps) {
    Site site;
    site.settings = test::machine_settings(site.dir.path());
    steps(site);
    std::filesystem::create_directories(out + "/" + name);
    test::copy_machine(site.dir.path(), out + "/" + name);
}

void save_all(const std::string& out) {
    const auto install = [](Site& site) {
        (void)site.install("v1");
        edit_etc(site);
    };
    save(out, "empty", [](Site&) {});
    save(out, "installed", install);
    save(out, "staged", [&](Site& site) {
        install(site);
        (void)site.update_to(Site::image("v2"), false);
    });
    save(out, "updated", [&](Site& site) {
        install(site);
        boot_into(site, "v2");
    });
    save(out, "surplus", [&](Site& site) {
        install(site);
        boot_into(site, "v2");
        boot_into(site, "v3");
    });
    const auto return_from_second = [&](Site& site) {
        install(site);
        boot_into(site, "v2");
        site.dir.write(
            "sysroot/state/deploy/" + site.engine().status().booted->digest + "/etc/of-second.conf",
            "written while 2 ran\n");
        (void)site.engine().rollback(site.progress, {});
        (void)site.reboot();
    };
    save(out, "returned", return_from_second);
    save(out, "armed", [&](Site& site) {
        install(site);
        (void)site.update("v2");
        write_late(site, "late.conf");
    });
    save(out, "rearmed", [&](Site& site) {
        return_from_second(site);
        (void)site.update("v2");
        write_late(site, "conf.d/two/mine");
    });
    save(out, "tried", [&](Site& site) {
        install(site);
        boot_into(site, "v2");
        update::UpdateOptions options;
        options.image = Site::image("v1");
        options.downgrade = true;
        (void)site.engine().update(options, site.progress, {});
        (void)site.reboot();
    });
    save(out, "returning", [&](Site& site) {
        install(site);
        boot_into(site, "v2");
        edit_etc(site);
        boot_into(site, "v2-conflict");
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: cfs_prepare_machines OUT\n";
        return 2;
    }
    try {
        std::filesystem::remove_all(argv[1]);
        save_all(argv[1]);
        return 0;
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}

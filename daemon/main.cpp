// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

int main(int argc, char** argv) {
    return cfs::app::run(argc, argv, [](const cfs::settings::Settings& settings) {
        return cfs::update::make_engine(settings);
    });
}

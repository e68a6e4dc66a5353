# SPDX-License-Identifier: Apache-2.0
"""The tables that the benchmark prints."""
import os
import platform
import statistics
import subprocess

from limits import best

HEAD = ("wall s", "CPU s", "peak MB", "sync s", "wall+sync s", "registry CPU s")
NUMBERS = (lambda c: c.wall, lambda c: c.cpu, lambda c: c.peak / 1e6, lambda c: c.sync, lambda c: c.durable,
           lambda c: c.registry)


def output_of(*command):
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as source:
        model = next((line.partition(":")[2].strip() for line in source if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield f"machine: {os.cpu_count()} cores ({model}), {memory:.0f} GB, Linux {platform.release()}"
    versions = output_of("dpkg-query", "-W", "-f", "${Package} ${Version}  ", "podman", "skopeo", "umoci", "docker-registry")
    yield f"peers: {versions}"


def median(samples, number):
    return statistics.median(number(sample) for sample in samples)


def spread(samples):
    walls = [sample.wall for sample in samples]
    return f"{min(walls):.1f}-{max(walls):.1f}"


def table(samples):
    """`samples`: name -> costs, ours first."""
    width = max(len(name) for name in samples)
    yield f"{'':{width}}  " + "  ".join(HEAD) + "  wall min-max"
    for name, costs in samples.items():
        cells = (f"{median(costs, number):{len(head)}.{0 if 'MB' in head else 2}f}" for head, number in zip(HEAD, NUMBERS))
        yield f"{name:{width}}  " + "  ".join(cells) + f"  {spread(costs):>12}"


def ratios(samples, ours, peers):
    """Peer / ours: above 1 we are better."""
    for peer in peers:
        parts = []
        for head, number in zip(HEAD[:5], NUMBERS[:5]):
            if head != "sync s":
                parts.append(f"{head.rpartition(' ')[0]} {median(samples[peer], number) / median(samples[ours], number):.1f}")
        yield f"{peer} / {ours}: " + ", ".join(parts)


def limit_lines(steps, ours, cores):
    """`steps`: for each round, what each step took and what CPU it took."""
    middle = [{name: statistics.median(step[name][i] for step in steps) for name in steps[0]} for i in (0, 1)]
    bound, total, cpu = best(middle[0], cores), sum(middle[0].values()), sum(middle[1].values())
    wall, own_cpu = median(ours, lambda c: c.wall), median(ours, lambda c: c.cpu)
    parts = " + ".join(f"{name} {seconds:.2f}" for name, seconds in middle[0].items())
    yield f"physical limit: {parts} = {total:.2f} s one after the other, {bound:.2f} s over {cores} cores, {cpu:.2f} s of CPU"
    yield (f"ours / limit: {wall / total:.2f} (one after the other), {wall / bound:.2f} (over {cores} cores), "
           f"{own_cpu / cpu:.2f} (CPU)")

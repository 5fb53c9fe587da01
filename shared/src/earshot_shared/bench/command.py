"""The command ``earshot bench``."""

import asyncio
import signal
import sys

import click
import msgspec
import uvloop

from earshot_shared.bench.load import Load
from earshot_shared.bench.offline import measure_classify, measure_resolve
from earshot_shared.bench.path import Path as Way
from earshot_shared.bench.system import SERVICES, BenchSystem, bench_folder, running_system
from earshot_shared.bench.yardstick import measure_hop
from earshot_shared.cli.locate import refuse_mock_broker

WARM_UP_S = 30.0
WINDOW_S = 30.0
STEADY_S = 20.0
SINGLES_S = 10.0


class ServiceFigures(msgspec.Struct, kw_only=True):
    """What one service costs."""

    cpu_us_per_event: float
    peak_rss_mb: float


class Figures(msgspec.Struct, kw_only=True):
    """What ``bench --json`` prints (contract §8): names of the contract, all from one run on one machine."""

    events_per_s: float
    p50_ms: float
    p99_ms: float
    single_post_per_s: float
    single_post_p99_ms: float
    broker_hop_per_s: float
    hop_ratio: float
    classify_texts_per_s: float
    resolve_records_per_s: float
    ready_s: float
    services: dict[str, ServiceFigures]
    ground_cpu_us_per_event: dict[str, float]


@click.command("bench")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--quick", is_flag=True, help="Windows of a few seconds: to see that it works, not to believe.")
def bench(as_json: bool, quick: bool) -> None:
    """Measure what this installation carries on this machine; takes about three minutes and a data folder of its own."""
    scale = 0.15 if quick else 1.0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that its system is stopped with it
    with bench_folder() as folder:
        _say("starting a system of its own")
        with running_system(folder):
            pass
        with running_system(folder) as system:
            refuse_mock_broker(folder, "A benchmark")
            figures = uvloop.run(_measure(system, scale))
            _say("the bare broker hop, as the yardstick")
            figures.broker_hop_per_s = round(asyncio.run(measure_hop(system.state.kafka, records=int(120_000 * scale))), 1)
            figures.hop_ratio = round(figures.broker_hop_per_s / figures.events_per_s, 2)
        _say("classifying and resolving files")
        figures.classify_texts_per_s = round(measure_classify(folder), 1)
        figures.resolve_records_per_s = round(measure_resolve(folder), 1)
    click.echo(msgspec.json.encode(figures).decode() if as_json else _table(figures))


async def _measure(system: BenchSystem, scale: float) -> Figures:
    way = Way(system, Load(), say=_say)
    rate = await way.sustained(warm_up_s=WARM_UP_S * scale, window_s=WINDOW_S * scale)
    _say(f"{rate.events_per_s:,.0f} events/s; now at half of that")
    steady = await way.latencies(rate_per_s=rate.events_per_s / 2, seconds=STEADY_S * scale)
    _say("single posts")
    singles_per_s, singles = await way.singles(seconds=SINGLES_S * scale)
    peaks = system.peak_rss_mb()
    return Figures(
        events_per_s=round(rate.events_per_s, 1),
        p50_ms=round(steady.percentile(0.5), 1),
        p99_ms=round(steady.percentile(0.99), 1),
        single_post_per_s=round(singles_per_s, 1),
        single_post_p99_ms=round(singles.percentile(0.99), 1),
        broker_hop_per_s=0.0,
        hop_ratio=0.0,
        classify_texts_per_s=0.0,
        resolve_records_per_s=0.0,
        ready_s=system.ready_s,
        services={
            name: ServiceFigures(cpu_us_per_event=rate.cpu_us_per_event.get(name, 0.0), peak_rss_mb=peaks.get(name, 0.0))
            for name in SERVICES
        },
        ground_cpu_us_per_event={name: rate.cpu_us_per_event.get(name, 0.0) for name in ("kafka", "postgres")},
    )


def _table(figures: Figures) -> str:
    rows = [
        ("events/s, door to customer view", f"{figures.events_per_s:,.0f}"),
        ("p50 / p99 at half that load", f"{figures.p50_ms:.0f} / {figures.p99_ms:.0f} ms"),
        ("single posts/s (p99)", f"{figures.single_post_per_s:,.0f} ({figures.single_post_p99_ms:.0f} ms)"),
        ("bare broker hop/s (ratio)", f"{figures.broker_hop_per_s:,.0f} ({figures.hop_ratio:.2f})"),
        ("texts classified/s", f"{figures.classify_texts_per_s:,.0f}"),
        ("records resolved/s", f"{figures.resolve_records_per_s:,.0f}"),
        ("ready after", f"{figures.ready_s:.1f} s"),
    ]
    rows += [
        (f"  {name}", f"{each.cpu_us_per_event:.0f} µs an event, {each.peak_rss_mb:.0f} MB") for name, each in figures.services.items()
    ]
    rows += [(f"  {name}", f"{cost:.0f} µs an event") for name, cost in figures.ground_cpu_us_per_event.items()]
    return "\n".join(f"{name:<34}{value}" for name, value in rows)


def _say(sentence: str) -> None:
    print(f"bench: {sentence}", file=sys.stderr, flush=True)  # noqa: T201  # progress of a long command

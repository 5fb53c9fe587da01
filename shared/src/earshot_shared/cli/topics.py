"""``earshot topics``: brings Kafka to the wanted state."""

import asyncio
from pathlib import Path

import click

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option, find_servers


@click.group()
def topics() -> None:
    """Bring Kafka's topics to the wanted state."""


@topics.command(name="apply")
@click.option("--replication", type=click.IntRange(1, 32), default=1, show_default=True, help="Copies of each new topic among the brokers.")
@data_dir_option
def apply_topics(replication: int, data_dir: Path) -> None:
    """Create what is missing and set what may be set; a partition count is never changed."""
    from earshot_shared.topics_admin import apply_topics as apply  # Kafka's client is slow to import

    servers = find_servers(data_dir)
    created = asyncio.run(apply(servers.kafka(), servers.topic_prefix, replication=replication))
    for name in created:
        click.echo(name)
    click.echo(
        f"{counted(len(created), 'topic')} created."
        if created
        else "Nothing to create: every topic is there, its settings as they should be."
    )

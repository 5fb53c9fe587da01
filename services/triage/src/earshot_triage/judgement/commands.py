"""The judge's offline commands: classify, train, evaluate.

Owns their arguments, files and sentences. Must not judge or fit by itself. Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option, url_option
from earshot_triage.judgement.judge import BATCH, Judge
from earshot_triage.judgement.tables import ModelError
from earshot_triage.judgement.verdict import Judgement

CHUNK: Final = BATCH
RUNNING: Final = ":running:"
"""Stands for the corrections of the running system where a file could be named."""
_IN = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


class _Item(msgspec.Struct):
    """One line of the input."""

    id: str | int
    text: str


@click.command()
@click.option("--input", "source", type=_IN, required=True, help='Lines {"id", "text"}.')
@click.option("--output", "target", type=_OUT, required=True, help="One judgement a line, in the same order.")
@click.option("--model-dir", type=_FOLDER, help="A folder with labels or corrections of your own.")
@click.option("--semantic", is_flag=True, help="Look again at texts whose label is unsure (needs the extra `semantic`).")
def classify(source: Path, target: Path, model_dir: Path | None, *, semantic: bool) -> None:
    """Judge texts offline: intents, conduct, sentiment, language, and your own labels."""
    judge = _load(model_dir, semantic=semantic)
    part = target.with_name(target.name + ".part")
    count = 0
    encode = msgspec.json.Encoder().encode_lines
    try:
        with part.open("wb") as out:
            for items in _chunks(source):
                judged = judge.judge([item.text for item in items], explain=False)
                out.write(encode([_answer(item, said) for item, said in zip(items, judged, strict=True)]))
                count += len(items)
        part.replace(target)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"{counted(count, 'text')} judged by {judge.version}", err=True)


def _load(model_dir: Path | None, *, semantic: bool) -> Judge:
    try:
        judge = Judge.load(model_dir)
        if not semantic:
            return judge
        if not judge.labels_for_two_looks:
            raise click.ClickException("no labels were taught for a second look; teach them with `earshot triage train --semantic`")
        return judge.looking_twice()
    except ModelError as error:
        raise click.ClickException(str(error)) from error


def _chunks(source: Path) -> Iterator[list[_Item]]:
    decode = msgspec.json.Decoder(_Item).decode
    items: list[_Item] = []
    with source.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            said = line.removeprefix(BOM_UTF8) if number == 1 else line
            if not said.strip():
                continue
            try:
                items.append(decode(said))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise click.ClickException(f"{source}, line {number}: {error}; mend the line and try again") from error
            if len(items) == CHUNK:
                yield items
                items = []
    if items:
        yield items


def _answer(item: _Item, said: Judgement) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": item.id,
        "intent": said.intent,
        "intents": said.intents,
        "conduct": said.conduct,
        "sentiment": said.sentiment,
        "sentiment_label": said.sentiment_label,
        "sentiment_probabilities": said.sentiment_probabilities,
        "language": said.language,
        "emotion": said.emotion,
        "severity": said.severity,
        "urgency": said.urgency,
        "confidence": said.confidence,
        "needs_person": said.needs_person,
    }
    if said.labels:
        answer["labels"] = said.labels
    return answer


@click.command()
@click.option("--labels", "name", help="Teach labels of your own under this name.")
@click.option("--input", "source", type=_IN, help='With --labels: lines {"text", "label"}.')
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Train the judge itself.")
@click.option("--only-cleared", is_flag=True, help="With --data: only sets whose licence allows commercial use.")
@click.option(
    "--with-corrections",
    "corrections",
    is_flag=False,
    flag_value=RUNNING,
    metavar="[FILE]",
    help='What people corrected: lines {"text", "intent"?, "conduct"?}, or, without a file, those of the running system.',
)
@click.option("--folds", default=2, show_default=True, help="With --data: folds that fit the confidence; 0 for none.")
@click.option("--model-dir", type=_FOLDER, required=True, help="Where the model is written.")
@click.option("--semantic", is_flag=True, help="With --labels: teach a second look at unsure texts too (needs the extra `semantic`).")
@data_dir_option
@url_option
def train(
    name: str | None,
    source: Path | None,
    data: Path | None,
    corrections: str | None,
    model_dir: Path,
    data_dir: Path,
    url: str | None,
    *,
    only_cleared: bool,
    folds: int,
    semantic: bool,
) -> None:
    """Teach the judge: labels of your own, people's corrections, or all weights anew from a data folder."""
    from earshot_triage.judgement.training.own import BadLessonError

    chosen = [name is not None, data is not None, corrections is not None]
    if sum(chosen) != 1:
        raise click.UsageError("give one of --labels, --data and --with-corrections")
    try:
        if name is not None:
            _train_labels(name, source, model_dir, semantic=semantic)
        elif corrections is not None:
            _train_corrections(_corrections(corrections, data_dir, url), model_dir)
        elif data is not None:
            _train_judge(data, model_dir, only_cleared=only_cleared, folds=folds)
    except (BadLessonError, ModelError) as error:
        raise click.ClickException(str(error)) from error


def _train_labels(name: str, source: Path | None, model_dir: Path, *, semantic: bool) -> None:
    from earshot_triage.judgement.semantic import Encoder
    from earshot_triage.judgement.training import own

    if source is None:
        raise click.UsageError("--labels needs --input with the examples")
    with source.open(encoding="utf-8-sig", errors="replace") as lines:
        examples = own.parse_lessons(lines)
    taught = own.write(name, examples, model_dir, Judge.untaught(model_dir), Encoder.load() if semantic else None)
    click.echo(f"{name}: {counted(len(taught.labels), 'label')} learned from {counted(taught.tables.meta['examples'], 'text')}")


def _corrections(named: str, data_dir: Path, url: str | None) -> list[str]:
    """Return lines of corrections: a file's, or those of the running system, where the last word about an item counts."""
    if named == RUNNING:
        from earshot_triage.asking import lessons

        return lessons(data_dir, url)
    try:
        return Path(named).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise click.BadParameter(f"{named} cannot be read: {error.strerror}.", param_hint="--with-corrections") from error


def _train_corrections(lines: list[str], model_dir: Path) -> None:
    from earshot_triage.judgement import learning
    from earshot_triage.judgement.training import correct

    given = correct.parse_corrections(lines)
    model_dir.mkdir(parents=True, exist_ok=True)
    judge = Judge.load(model_dir).without_corrections()
    correct.learn_corrections(judge, given).save(model_dir / learning.FOLDER)
    click.echo(f"{counted(len(given), 'correction')} learned")


def _train_judge(data: Path, model_dir: Path, *, only_cleared: bool, folds: int) -> None:
    from earshot_triage.judgement import senses
    from earshot_triage.judgement.evaluation import folds as trial
    from earshot_triage.judgement.training import build, corpora
    from earshot_triage.judgement.training.own import BadLessonError

    examples = corpora.load(data, only_cleared=only_cleared)
    if not examples:
        raise BadLessonError(f"no set that may teach lies in {data}; each is a folder NAME with a dev.jsonl")
    # The shipped vectors of words were taught by texts of sets whose licence is not known.
    tables = build.train(examples, meanings=None if only_cleared else senses.shipped(), say=_say)
    if folds and not only_cleared:
        answers = trial.cross_validate(examples, folds=folds, say=_say)
        tables = trial.with_confidence(tables, trial.fit_confidence(answers))
    tables.save(model_dir / "judge")
    click.echo(f"judge {tables.meta['fingerprint']} learned from {len(examples)} texts of {len(tables.meta['sets'])} sets")


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--output", type=_FOLDER, required=True, help="The docs folder: judgement.md and pictures are renewed.")
@click.option("--folds", default=5, show_default=True, help="How many of five folds are run.")
@click.option("--labels", is_flag=True, help="Measure labels of one's own too: every set's own are taught and asked.")
@click.option("--semantic", is_flag=True, help="With --labels: take the second look too (needs the extra `semantic`).")
def evaluate(data: Path, output: Path, folds: int, *, labels: bool, semantic: bool) -> None:
    """Measure the judge by cross-validation, beside baselines, and write tables and pictures."""
    from earshot_triage.judgement.evaluation import own_labels, report
    from earshot_triage.judgement.training.own import BadLessonError

    if semantic and not labels:
        raise click.UsageError("--semantic goes with --labels: only labels of one's own are looked at again")
    try:
        encoder = own_labels.Remembering.load() if semantic else None
        report.write(data, output, folds=folds, say=_say, labels=labels, encoder=encoder)
    except (BadLessonError, ModelError) as error:
        raise click.ClickException(str(error)) from error


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--output", type=_FOLDER, required=True, help="Where the vectors are written: `word_senses` of the package.")
def distil(data: Path, output: Path) -> None:
    """Teach the directions of words that own labels lean on, by MiniLM (needs the extra `semantic`)."""
    from earshot_triage.judgement.semantic import Encoder
    from earshot_triage.judgement.training import distil as teaching

    try:
        made = teaching.teach(data, Encoder.load(), say=_say)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    made.save(output)
    click.echo(f"{len(made.words)} words")


def _say(sentence: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{sentence}", nl=False, err=True)
    else:
        click.echo(sentence, err=True)

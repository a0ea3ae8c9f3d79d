"""Finding evidence for the queries of a whole proof, in worker processes, and remembering it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proofs.cache import Cache, folder
from proofs.certificate import text_digest
from proofs.evidence import Evidence, UnreadableEvidence, from_json, to_json
from proofs.find_evidence import find
from proofs.results import Answer, Query
from proofs.verify import Options
from proofs.workers import spread

_FINDER = "evidence, schema 1"
_CHUNK = 4

Found = tuple[str, Evidence | None]
"""The digest of a query's text, and its evidence; None where none is found within the budget."""


def collect(queries: Iterable[Query], options: Options) -> Iterator[Found]:
    """Evidence for every query, each text once, as it is found."""
    texts = list(dict.fromkeys((query.text, query.answer) for query in queries))
    tasks = [
        (texts[start : start + _CHUNK], options.cache) for start in range(0, len(texts), _CHUNK)
    ]
    yield from spread(_find_some, tasks, options.jobs)


def _find_some(texts: list[tuple[str, str]], remember: bool) -> list[Found]:
    cache = Cache(folder() / "answers.sqlite", _FINDER) if remember else None
    found = [(text_digest(text), _find(text, answer, cache)) for text, answer in texts]
    if cache:
        cache.close()
    return found


def _find(text: str, answer: str, cache: Cache | None) -> Evidence | None:
    known = cache.get(text) if cache else None
    if known is not None and known.status == answer:
        try:
            # Whoever uses it checks it; it may be the evidence of another version.
            return from_json(known.model["evidence"])
        except (KeyError, UnreadableEvidence):
            pass
    evidence = find(text, answer)
    if cache and evidence is not None:
        cache.put(text, Answer(answer, 0, 0, {"evidence": to_json(evidence).decode()}))
    return evidence

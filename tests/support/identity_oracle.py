"""The laws of identity in plain words: slow, obvious, and right by reading. The engine must give the same answer.

Every function asks its question of the whole evidence anew; nothing is remembered between steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations, product

from earshot_crm_sync.identity import Decision, Edge, EvidenceSet, Identifier, IdentityRules, Rule, Verb

Group = frozenset[Identifier]
Score = Callable[[Group, Group], float]


class Oracle:
    """One component under the laws."""

    def __init__(self, evidence: EvidenceSet, rules: IdentityRules) -> None:
        self.rules, self.edges, self.decisions = rules, set(evidence.edges), set(evidence.decisions)
        self.seen = {s.identifier for s in evidence.sightings}
        self.staff = {t.owner for t in evidence.traits if t.kind == "staff"}
        self.silent = {t.owner for t in evidence.traits if t.kind in ("bot", "brand")}
        self.first: dict[Identifier, tuple[object, ...]] = {}
        for at, why, who in [(s.first_at, s.evidence_id, s.identifier) for s in evidence.sightings] + [
            (e.first_at, e.evidence_id, end) for e in self.edges for end in (e.a, e.b)
        ]:
            kinds = ("account", "handle", "mailbox", "crm_id", "email", "phone")
            place = (at, why, kinds.index(who.kind), who)
            self.first[who] = min(self.first.get(who, place), place)

    # A value on more accounts than its limit, within the window, links nothing.
    def users(self, value: Identifier, *, names: bool) -> dict[Identifier, list[Edge]]:
        found: dict[Identifier, list[Edge]] = {}
        for e in self.edges:
            if e.b == value and (e.rule is Rule.ACCOUNT) == names and (names or e.a not in self.silent):
                found.setdefault(e.a if names else self.account(e.a), []).append(e)
        return found

    def is_shared(self, value: Identifier, *, names: bool = False) -> bool:
        limit = self.rules.limits["handle"] if names else self.rules.limit_of(value)
        assert limit is not None
        spans = [(min(e.first_at for e in es), max(e.last_at for e in es)) for es in self.users(value, names=names).values()]
        if limit.window is None:
            return len(spans) > limit.accounts
        return any(sum(f <= t <= last + limit.window for f, last in spans) > limit.accounts for t, _ in spans)

    def account(self, who: Identifier) -> Identifier:
        owners = self.users(who, names=True) if who.kind == "handle" else {}
        if not owners or self.is_shared(who, names=True):
            return who
        return min(owners, key=lambda o: (min(e.first_at for e in owners[o]), o))

    def links(self, e: Edge) -> bool:
        if e.rule is Rule.ACCOUNT or self.is_shared(e.b, names=True):
            return not self.is_shared(e.b, names=True)
        return not (self.is_shared(e.b) or self.rules.is_blocked(e.b) or {e.a, e.b} & self.silent)

    # People's words: of two on one pair the later stands.
    def word(self, x: Identifier, y: Identifier) -> Decision | None:
        on = [d for d in self.decisions if d.verb in (Verb.SAME, Verb.NOT_SAME) and self.names(d, x, y)]
        return max(on, key=lambda d: (d.at, d.decision_id), default=None)

    @staticmethod
    def names(d: Decision, x: Identifier, y: Identifier) -> bool:
        between = (x in d.left and y in d.right) or (y in d.left and x in d.right)
        return between or (d.verb is Verb.SAME and {d.a, d.b} == {x, y})

    def locks(self) -> list[Decision]:
        last: dict[Identifier, Decision] = {}
        for d in sorted(self.decisions, key=lambda d: (d.at, d.decision_id)):
            if d.verb in (Verb.LOCK, Verb.UNLOCK):
                last[d.a] = d
        return [d for d in last.values() if d.verb is Verb.LOCK]

    # What two groups must never be joined for.
    def forbidden(self, g: Group, h: Group, *, verified: bool, person: bool) -> bool:
        if any((d := self.word(x, y)) is not None and d.verb is Verb.NOT_SAME for x, y in product(g, h)):
            return True
        if len(g | h) > self.rules.max_identifiers or len(self.accounts(g | h)) > self.rules.max_accounts:
            return True
        if person:
            return False
        for one, other in ((g, h), (h, g)):
            if any(one & (d.left | {d.a}) and not other & (d.left | {d.a}) and (other & self.seen) - d.left for d in self.locks()):
                return True
        records = {e.b for e in self.edges if e.rule is Rule.CRM_ID and e.verified} | {s for s in self.seen if s.kind == "crm_id"}
        if any(x.namespace == y.namespace for x, y in product(g & records, h & records)):
            return True
        if verified:
            return False
        two = any(x.namespace == y.namespace for x, y in product(self.accounts(g), self.accounts(h)))
        people = (g | h) & self.seen
        return two or bool(g & self.seen and h & self.seen and people & self.staff and people - self.staff)

    def accounts(self, g: Group) -> set[Identifier]:
        return {x for x in g if x.kind == "account" or (x.kind == "handle" and self.account(x) == x)}

    # The joins: sure ones by falling weight, then first time, then id; scored ones; then what is nobody's.
    def customers(self, score: Score) -> set[Group]:
        groups = {frozenset([x]) for x in self.first}
        oversize = len({(e.a, e.b, e.rule, e.verified, e.source) for e in self.edges}) > self.rules.max_edges
        for _, _, _, a, b, rule in sorted(self.sure(oversize=oversize)):
            groups = self.joined(groups, a, b, verified=True, person=rule is Rule.PERSON)
        if not oversize:
            sure = groups
            for _, _, _, a, b in sorted(self.scored(sure, score)):
                groups = self.joined(groups, a, b, verified=False, person=False)
        for value in sorted({e.b for e in self.edges} - self.seen, key=self.first.__getitem__):
            claims = [e for e in self.edges if e.b == value]
            for e in sorted(claims, key=lambda e: (not e.verified, e.first_at, e.evidence_id, e.a, e.rule)):
                if not of(groups, value) & self.seen:
                    groups = self.joined(groups, e.a, value, verified=True, person=False)
        return groups

    def joined(self, groups: set[Group], a: Identifier, b: Identifier, *, verified: bool, person: bool) -> set[Group]:
        g, h = of(groups, a), of(groups, b)
        if g == h or self.forbidden(g, h, verified=verified, person=person):
            return groups
        return (groups - {g, h}) | {g | h}

    def sure(self, *, oversize: bool) -> Iterable[tuple[float, object, str, Identifier, Identifier, Rule]]:
        for d in self.decisions:
            stands = d.verb is Verb.SAME and d.a in self.first and d.b in self.first
            later = [n for n in self.decisions if n.verb is Verb.NOT_SAME and (n.at, n.decision_id) > (d.at, d.decision_id)]
            if stands and not any(self.names(n, d.a, d.b) for n in later):
                yield (-self.rules.weights[Rule.PERSON], d.at, d.decision_id, d.a, d.b, Rule.PERSON)
        for e in self.edges:
            if self.links(e) and (e.rule is Rule.ACCOUNT or (e.verified and not oversize)):
                yield (-self.rules.weights[e.rule], e.first_at, e.evidence_id, e.a, e.b, e.rule)

    def scored(self, groups: set[Group], score: Score) -> Iterable[tuple[float, object, str, Identifier, Identifier]]:
        best: dict[frozenset[Group], tuple[object, str, Identifier, Identifier]] = {}
        for value in {e.b for e in self.edges}:
            claims = [(e.a, *self.told(e.a, value)) for e in self.edges if e.b == value and e.rule is not Rule.ACCOUNT and self.links(e)]
            if claims and value in self.seen:
                claims.append((value, self.first[value][0], str(self.first[value][1])))
            for (a, a_at, a_id), (b, b_at, b_id) in combinations(sorted(set(claims)), 2):
                pair = frozenset({of(groups, a), of(groups, b)})
                if len(pair) == 2:
                    place = (*max((a_at, a_id), (b_at, b_id)), a, b)
                    best[pair] = min(best.get(pair, place), place)
        for at, why, a, b in best.values():
            bits = score(of(groups, a), of(groups, b))
            if bits >= self.rules.merge_at:
                yield (-bits, at, why, a, b)

    def told(self, a: Identifier, value: Identifier) -> tuple[object, str]:
        return min((e.first_at, e.evidence_id) for e in self.edges if (e.a, e.b) == (a, value))


def of(groups: set[Group], x: Identifier) -> Group:
    """Return the group that holds `x`."""
    return next(g for g in groups if x in g)

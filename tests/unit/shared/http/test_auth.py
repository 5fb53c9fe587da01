"""Keys, scopes and actors."""

import pytest

from earshot_shared.access import ALL_SCOPES, Principal, new_key, parse_token
from earshot_shared.access.keys import KeyRequestError
from earshot_shared.http.auth import FIRST_KEY_ID, Keyring, actor_of, check_scope, require
from earshot_shared.http.problems import ForbiddenError, InvalidError, UnauthorizedError
from earshot_shared.testing import FakeClock, MemoryKeys

Headers = list[tuple[bytes, bytes]]


def bearer(token: str, scheme: str = "Bearer") -> Headers:
    return [(b"host", b"x"), (b"authorization", f"{scheme} {token}".encode())]


async def test_a_key_opens_and_is_marked_as_used() -> None:
    store = MemoryKeys()
    token, key = new_key(name="desk", scopes=["triage:read"], sources=["forum"], brands=["Acme"])
    await store.add(key)
    principal = await Keyring(store)(bearer(token, "bEaReR"))
    assert principal == Principal(
        key_id=key.key_id, scopes=frozenset({"triage:read"}), sources=frozenset({"forum"}), brands=frozenset({"Acme"})
    )
    assert [found.last_used_on is not None for found in await store.list()] == [True]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param([], "key-missing", id="none"),
        pytest.param([(b"authorization", b"Basic eDp5")], "key-missing", id="another scheme"),
        pytest.param(bearer("a") + bearer("b"), "key-missing", id="two"),
        pytest.param([(b"authorization", b"Bearer")], "key-missing", id="no token"),
        pytest.param(bearer(""), "key-unknown", id="empty token"),
        pytest.param(bearer("\xff\xfe"), "key-unknown", id="not ASCII"),
        pytest.param(bearer("esk_aaaaaaaaaaaa_" + "0" * 64), "key-unknown", id="unknown id"),
        pytest.param(bearer("the-first-key-of-all "[:-1] + "l"), "key-unknown", id="nearly the first key"),
        pytest.param(bearer("x" * 100_000), "key-unknown", id="endless"),
    ],
)
async def test_who_is_refused(headers: Headers, code: str) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        await Keyring(MemoryKeys(), first_key="the-first-key-of-all")(headers)
    assert refused.value.code == code


async def test_the_first_key_has_all_scopes() -> None:
    principal = await Keyring(MemoryKeys(), first_key="the-first-key-of-all")(bearer("the-first-key-of-all"))
    assert principal == Principal(key_id=FIRST_KEY_ID, scopes=frozenset(ALL_SCOPES))


async def test_a_wrong_secret_of_a_good_id_is_refused() -> None:
    store = MemoryKeys()
    token, key = new_key(name="desk", scopes=["admin"])
    await store.add(key)
    with pytest.raises(UnauthorizedError):
        await Keyring(store)(bearer(token[:-1] + ("0" if token[-1] != "0" else "1")))


async def test_answers_are_remembered_for_seconds_and_revocation_is_noticed() -> None:
    store, clock = MemoryKeys(), FakeClock()
    token, key = new_key(name="desk", scopes=["admin"])
    await store.add(key)
    keyring = Keyring(store, clock=clock)
    for _ in range(10):
        await keyring(bearer(token))
    assert store.looked_up == 1
    await store.revoke(key.key_id)
    clock.pass_s(6)
    with pytest.raises(UnauthorizedError):
        await keyring(bearer(token))


async def test_a_key_made_a_moment_ago_opens_within_a_second() -> None:
    store, clock = MemoryKeys(), FakeClock()
    token, key = new_key(name="desk", scopes=["admin"])
    keyring = Keyring(store, clock=clock)
    with pytest.raises(UnauthorizedError):
        await keyring(bearer(token))
    await store.add(key)
    clock.pass_s(1.1)
    assert (await keyring(bearer(token))).key_id == key.key_id


async def test_guessing_does_not_fill_the_memory() -> None:
    keyring = Keyring(MemoryKeys())
    for number in range(20_500):
        with pytest.raises(UnauthorizedError):
            await keyring(bearer(f"guess{number}"))
    assert len(keyring._remembered) <= 10_000


@pytest.mark.parametrize(
    ("scopes", "wanted", "allowed"),
    [
        pytest.param({"triage:read"}, "triage:read", True, id="has it"),
        pytest.param({"triage:read"}, "triage:write", False, id="read is not write"),
        pytest.param({"triage:write"}, "triage:read", False, id="write is not read"),
        pytest.param({"admin"}, "crm-sync:write", True, id="admin has all"),
        pytest.param(set(), "triage:read", False, id="nothing"),
    ],
)
def test_scopes(scopes: set[str], wanted: str, allowed: bool) -> None:
    principal = Principal(key_id="k", scopes=frozenset(scopes))
    if allowed:
        check_scope(principal, wanted)
    else:
        with pytest.raises(ForbiddenError, match=wanted):
            check_scope(principal, wanted)


def test_bindings() -> None:
    free = Principal(key_id="k", scopes=frozenset())
    bound = Principal(key_id="k", scopes=frozenset(), sources=frozenset({"forum"}), brands=frozenset())
    assert free.may_source("forum")
    assert free.may_brand("Acme")
    assert bound.may_source("forum")
    assert not bound.may_source("mail")
    assert not bound.may_brand("Acme")


def test_a_route_cannot_ask_for_a_scope_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="triage:reed"):
        require("triage:reed")


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        pytest.param("desk", [], id="no scope"),
        pytest.param("desk", ["triage:reed"], id="unknown scope"),
        pytest.param("  ", ["admin"], id="no name"),
        pytest.param("x" * 201, ["admin"], id="long name"),
        pytest.param("a\nb", ["admin"], id="line break"),
    ],
)
def test_keys_that_make_no_sense(name: str, scopes: list[str]) -> None:
    with pytest.raises(KeyRequestError):
        new_key(name=name, scopes=scopes)


def test_tokens() -> None:
    token, key = new_key(name="desk", scopes=["admin"])
    parts = parse_token(token)
    assert parts is not None
    assert parts[0] == key.key_id
    assert key.opens_with(parts[1])
    assert parts[1] not in repr(key)
    assert parse_token(token + "0") is None
    assert parse_token(token.upper()) is None
    assert parse_token(token + "\n") is None


@pytest.mark.parametrize(
    ("sent", "person"),
    [
        pytest.param([], None, id="nobody named"),
        pytest.param([b"anna"], "anna", id="a name"),
        pytest.param([" Zoë  ".encode()], "Zoë", id="UTF-8, trimmed"),
        pytest.param(["Zoe\u0308".encode()], "Zoë", id="composed"),
        pytest.param(["山田 太郎".encode()], "山田 太郎", id="another alphabet"),
    ],
)
def test_actors(sent: list[bytes], person: str | None) -> None:
    principal = Principal(key_id="k", scopes=frozenset())
    actor = actor_of(principal, [(b"earshot-actor", value) for value in sent])
    assert (actor.key_id, actor.person) == ("k", person)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([b""], id="empty"),
        pytest.param([b"  "], id="blank"),
        pytest.param([b"x" * 201], id="long"),
        pytest.param([b"\xc3"], id="not UTF-8"),
        pytest.param([b"a\tb"], id="control character"),
        pytest.param(["a\u202eb".encode()], id="direction override"),
        pytest.param([b"anna", b"bert"], id="two"),
    ],
)
def test_actors_that_name_nobody(sent: list[bytes]) -> None:
    with pytest.raises(InvalidError):
        actor_of(Principal(key_id="k", scopes=frozenset()), [(b"earshot-actor", value) for value in sent])
